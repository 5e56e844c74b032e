/* Peaks of curves and spectra: what pitch.py and tuning.py look for. */

#include "kernel.h"

/* Indices of the maxima above a tenth behind the first value that is not above 0; returns how many. */
FAST long peaks_behind_fall(const double *curve, long count, int64_t *peaks) {
    long found = 0, i = 0;
    while (i < count && curve[i] > 0) i++;
    for (i++; i + 1 < count; i++)
        if (curve[i] > curve[i - 1] && curve[i] >= curve[i + 1] && curve[i] > 0.1) peaks[found++] = i;
    return found;
}

/* Indices of the highest maxima inside a curve, highest first, at most `room`; returns how many. */
FAST long highest_maxima(const float *curve, long count, long room, int64_t *tops) {
    long found = 0;
    for (long i = 1; i + 1 < count; i++) {
        if (!(curve[i] > curve[i - 1]) || !(curve[i] >= curve[i + 1])) continue;
        if (found == room && !(curve[i] > curve[tops[room - 1]])) continue;
        long place = found < room ? found++ : room - 1;
        for (; place > 0 && curve[i] > curve[tops[place - 1]]; place--) tops[place] = tops[place - 1];
        tops[place] = i;
    }
    return found;
}

/* ---- tones ---- */

/* Peaks of long frames (frames, bins) that stand out from their surroundings, as tuning.py describes them, among the
 * columns from `first` on, in blocks of eight. For each: `frame`, `octaves` above A4 and `weight`, at most `room` in
 * all; bins are `width` times A4's frequency apart. `energies` gets that of everything and that of the peaks. Returns
 * how many; -1 when there is no memory. */
FAST long find_tones_in(
    const float *power, long frames, long bins, long first, long blocks, double width, float prominence, long room,
    int64_t *frame, float *octaves, float *weight, double *energies
) {
    const float tiny = 1e-12f;
    long columns = blocks * LANES, found = 0;
    float *magnitude = malloc((columns + blocks) * sizeof(float));
    if (!magnitude) return -1;
    float *mean = magnitude + columns;
    energies[0] = energies[1] = 0;
    for (long i = 0; i < frames; i++, power += bins) {
        lanes all = spread(0);
        long k = 0, begun = found;
        for (; k + LANES <= bins; k += LANES) all += load(power + k);
        energies[0] += sum(all);
        for (; k < bins; k++) energies[0] += power[k];
        for (long block = 0; block < blocks; block++) {
            lanes roots = root(load(power + first + block * LANES));
            store(magnitude + block * LANES, roots);
            mean[block] = sum(roots) * (prominence / (3 * LANES));
        }
        double squares = tiny;
        for (long block = 1; block + 1 < blocks; block++) {
            float around = mean[block - 1] + mean[block] + mean[block + 1];
            for (long at = block * LANES; at < (block + 1) * LANES; at++) {
                float peak = magnitude[at];
                if (!(peak > around) || peak < magnitude[at - 1] || peak < magnitude[at + 1] || found == room) continue;
                double before = logf(magnitude[at - 1] + tiny), here = logf(peak + tiny);
                double after = logf(magnitude[at + 1] + tiny);
                double offset = 0.5 * (before - after) / least(before - 2 * here + after, -(double)tiny);
                offset = most(-0.5, least(offset, 0.5));
                frame[found] = i;
                octaves[found] = (float)log2((first + at + offset) * width);
                weight[found] = expf(0.6f * (float)here - (float)(0.3 * M_LN2) * octaves[found]);
                squares += weight[found];
                energies[1] += (double)peak * peak;
                found++;
            }
        }
        /* A loud moment does not outvote the rest. */
        float share = (float)(1 / sqrt(squares));
        for (long one = begun; one < found; one++) weight[one] *= share;
    }
    return free(magnitude), found;
}
