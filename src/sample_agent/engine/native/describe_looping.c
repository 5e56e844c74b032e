/* Whether a clip is made to be repeated: the first 7 of 12 numbers, see sound/descriptors/looping.py. */

#include "describe.h"

/* How unlike the notes of each long frame are those two before, loud frames only: mean and upper tenth. */
INLINE int changes_of_notes(const float *power, long frames, long bins, const int32_t *edges, double *out) {
    enum { NOTES = 60, ROW = 64 };
    out[0] = out[1] = 0;
    if (frames < 4) return 0;
    float *notes = calloc(frames * (ROW + 1), sizeof(float));
    if (!notes) return -1;
    float *level = notes + frames * ROW, loudest = 0;
    long loud = 0;
    for (long i = 0; i < frames; i++) {
        float *row = notes + i * ROW, all = 0;
        const float *bin = power + i * bins;
        for (int note = 0; note < NOTES; note++) {
            float energy = bin[edges[note]];
            for (long j = edges[note] + 1; j < edges[note + 1]; j++) energy += bin[j];
            row[note] = sqrtf(energy), all += energy;
        }
        level[i] = sqrtf(all);
        loudest = level[i] > loudest ? level[i] : loudest;
    }
    for (long i = 0; i < frames; i++) {
        if (!(level[i] > 0.05f * loudest)) continue;
        for (int note = 0; note < ROW; note++) notes[loud * ROW + note] = notes[i * ROW + note] / level[i];
        loud++;
    }
    if (loud >= 3) {
        float *unlike = level;
        double mean = 0;
        for (long i = 2; i < loud; i++) {
            lanes alike = spread(0);
            for (int note = 0; note < ROW; note += LANES)
                alike += load(notes + i * ROW + note) * load(notes + (i - 2) * ROW + note);
            unlike[i - 2] = 1 - sum(alike);
            mean += unlike[i - 2] / (loud - 2);
        }
        out[0] = mean, out[1] = ranked(unlike, loud - 2, (long)(0.9 * (loud - 3)));
    }
    return free(notes), 0;
}

FAST int describe_looping(
    const double *energy, long count, double rate, const float *power, long frames, long bins, const int32_t *edges,
    double *out
) {
    double loudest = 0, ends[2] = {0};
    long first = count, last = 0, seam = count < 3 ? count : 3;
    for (long i = 0; i < count; i++) loudest = most(loudest, energy[i]);
    loudest += 1e-20;
    for (long i = 0; i < count; i++)
        if (energy[i] > 1e-4 * loudest) first = i < first ? i : first, last = i;
    for (long i = 0; i < seam; i++) ends[0] += energy[i] / seam, ends[1] += energy[count - 1 - i] / seam;
    for (int i = 0; i < 2; i++) out[i] = 10 * log10(ends[i] / loudest + 1e-6) / 60;
    out[2] = out[1] - out[0];
    out[3] = log1p(8 * first / rate) / 2, out[4] = log1p(8 * (count - 1 - last) / rate) / 2;
    return changes_of_notes(power, frames, bins, edges, out + 5);
}
