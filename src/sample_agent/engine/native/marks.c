/* Small things about a whole file that are many numbers to go through: its outline, onsets and fingerprint. */

#include "kernel.h"

#define BANDS 40

/* Smallest and largest value over `points` equal stretches of `count` pairs; each stretch has one at least. */
FAST void outline(
    const float *minimum, const float *maximum, long count, long points, float *low, float *high
) {
    for (long point = 0; point < points; point++) {
        long start = (long)((int64_t)point * count / points), stop = (long)((int64_t)(point + 1) * count / points);
        float lowest = minimum[start], highest = maximum[start];
        for (long i = start + 1; i < stop; i++) {
            lowest = minimum[i] < lowest ? minimum[i] : lowest;
            highest = maximum[i] > highest ? maximum[i] : highest;
        }
        low[point] = lowest, high[point] = highest;
    }
}

/* ---- onsets ---- */

/* Rise of the compressed level, `mel` (frames, 40) times `gain`, from frame to frame: `rises` (4, frames), the mean over
 * all bands, those below `low`, those below `high`, and the rest. */
FAST void onset_rises(const float *mel, long frames, float gain, long low, long high, float *rises) {
    float before[BANDS] = {0}, level[BANDS];
    for (long i = 0; i < frames; i++) {
        float part[3] = {0};
        for (long b = 0; b < BANDS; b += LANES)
            store(level + b, log2_lanes(load(mel + i * BANDS + b) * gain + 1.0f) * 0.69314718f);
        for (long b = 0; b < BANDS; b++) {
            float rise = level[b] > before[b] ? level[b] - before[b] : 0;
            part[b < low ? 0 : b < high ? 1 : 2] += rise;
            before[b] = level[b];
        }
        rises[i] = (part[0] + part[1] + part[2]) / BANDS;
        rises[frames + i] = part[0] / low;
        rises[2 * frames + i] = part[1] / (high - low);
        rises[3 * frames + i] = part[2] / (BANDS - high);
    }
}

/* Frames that are the highest within `gap` on both sides and `clear` above the mean within `reach`, more than `gap`
 * apart from the frame before that is, at most `room` of them; returns how many. */
FAST long find_peaks_of_rise(
    const float *rise, long frames, long gap, long reach, float clear, long room, int64_t *found
) {
    long count = 0, last = -gap - 1;
    double window = 0;
    for (long i = 0; i < reach && i < frames; i++) window += rise[i];
    for (long i = 0; i < frames; i++) {
        if (i + reach < frames) window += rise[i + reach];
        if (i - reach - 1 >= 0) window -= rise[i - reach - 1];
        if (!(rise[i] > (float)(window / (2 * reach + 1)) + clear)) continue;
        int highest = 1;
        for (long j = i > gap ? i - gap : 0; highest && j <= i + gap && j < frames; j++) highest = rise[j] <= rise[i];
        if (!highest) continue;
        if (i - last > gap) {
            if (count == room) break;
            found[count++] = i;
        }
        last = i;
    }
    return count;
}

/* Moves onsets at `times` (in cells) to the cell between `earlier` before and `later` behind at which the energy of four
 * cells exceeds that of the four before the most. */
FAST void place_onsets(
    const float *energy, long cells, const double *times, long onsets, long earlier, long later, double *placed
) {
    enum { SIZE = 4 };
    float loudest = 0;
    for (long i = 0; i < cells; i++) loudest = energy[i] > loudest ? energy[i] : loudest;
    double floor = 1e-4 * (double)loudest * SIZE;
    for (long onset = 0; onset < onsets; onset++) {
        long middle = (long)rint(times[onset]), best = 0;
        double steepest = -1;
        for (long at = middle - earlier; at <= middle + later; at++) {
            long cell = at < 0 ? 0 : at >= cells ? cells - 1 : at;
            double before = floor, after = floor;
            for (long j = 0; j < SIZE; j++) {
                if (cell - 1 - j >= 0) before += energy[cell - 1 - j];
                if (cell + j < cells) after += energy[cell + j];
            }
            if (after / before > steepest) steepest = after / before, best = cell;
        }
        placed[onset] = (double)best;
    }
}

/* ---- fingerprint ---- */

enum { PICTURE = 17, NOTES = 84 };

/* Quarter decibels below the largest of some values, at most 255. */
INLINE void quantized(const float *values, long count, uint8_t *levels) {
    float largest = 1e-20f;
    for (long i = 0; i < count; i++) largest = values[i] > largest ? values[i] : largest;
    for (long i = 0; i < count; i += LANES) {
        float some[LANES] = {0};
        for (long j = 0; j < LANES && i + j < count; j++) some[j] = values[i + j];
        lanes below = log2_lanes(larger(load(some) / largest, spread(1e-7f))) * (float)(-10 * 0.30102999566);
        for (long j = 0; j < LANES && i + j < count; j++)
            levels[i + j] = (uint8_t)rintf(fminf(below[j], 63.75f) / 0.25f);
    }
}

/* Columns `step` frames apart: in between where the step is near one, means over it where it is long. */
INLINE void columns_of(const float *bands, long frames, double step, long count, float *columns) {
    for (long i = 0; i < count; i++) {
        float *column = columns + i * PICTURE;
        if (step < 2) {
            double at = least(i * step, frames - 1);
            long low = (long)at, high = low + 1 < frames ? low + 1 : frames - 1;
            for (int b = 0; b < PICTURE; b++)
                column[b] = (float)(bands[low * PICTURE + b] * (1 - (at - low)) + bands[high * PICTURE + b] * (at - low));
            continue;
        }
        long start = (long)rint(i * step), stop = (long)rint((i + 1) * step);
        stop = stop < frames ? stop : frames;
        for (int b = 0; b < PICTURE; b++) {
            double all = 0;
            for (long row = start; row < stop; row++) all += bands[row * PICTURE + b];
            column[b] = (float)(all / (stop > start ? stop - start : 1));
        }
    }
}

/* The pictures of a fingerprint: `fine` and `coarse` (columns, 17) of the given steps, from `mel` (frames, 40) between
 * the first and the last frame that is heard, and `notes` (84,) from long frames `tonal` (rows, bins), `width` Hz a bin.
 * `sizes` has the most columns of both and gets how many there are, then the first frame and the one behind the last;
 * all 0 for silence. -1 when there is no memory. */
FAST int fingerprint_pictures(
    const float *mel, long frames, double fine_step, double coarse_step, const float *tonal, long rows, long bins,
    double width, int64_t *sizes, uint8_t *fine, uint8_t *coarse, uint8_t *notes
) {
    long most_fine = (long)sizes[0], most_coarse = (long)sizes[1], largest = most_fine > most_coarse ? most_fine : most_coarse;
    double *running = malloc(bins * sizeof(double) + (frames * (PICTURE + 1) + 2 * largest * PICTURE) * sizeof(float));
    if (!running) return -1;
    float *bands = (float *)(running + bins), *energy = bands + frames * PICTURE, *columns = energy + frames;
    float *smooth = columns + largest * PICTURE, loudest = 0;
    memset(sizes, 0, 4 * sizeof *sizes);
    for (long i = 0; i < frames; i++) {
        energy[i] = 0;
        for (int b = 0; b < PICTURE; b++)
            energy[i] += bands[i * PICTURE + b] = mel[i * BANDS + 2 * b] + mel[i * BANDS + 2 * b + 1];
        loudest = energy[i] > loudest ? energy[i] : loudest;
    }
    if (!(loudest > 0)) return free(running), 0;
    long first = frames, last = 0;
    for (long i = 0; i < frames; i++)
        if (energy[i] > 1e-5f * loudest) first = i < first ? i : first, last = i;
    bands += first * PICTURE;
    frames = last + 1 - first;
    sizes[0] = (int64_t)least(most_fine, most(1, (long)(frames / fine_step)));
    sizes[1] = (int64_t)least(most_coarse, most(1, (long)(frames / coarse_step)));
    sizes[2] = first, sizes[3] = last + 1;
    columns_of(bands, frames, fine_step, (long)sizes[0], columns);
    quantized(columns, (long)sizes[0] * PICTURE, fine);
    columns_of(bands, frames, coarse_step, (long)sizes[1], columns);
    /* Each with a quarter of its neighbours. */
    for (long i = 0; i < sizes[1] * PICTURE; i++) {
        float before = i >= PICTURE ? columns[i - PICTURE] : 0;
        float behind = i + PICTURE < sizes[1] * PICTURE ? columns[i + PICTURE] : 0;
        smooth[i] = columns[i] * 0.5f + (before + behind) * 0.25f;
    }
    quantized(smooth, (long)sizes[1] * PICTURE, coarse);
    memset(running, 0, bins * sizeof *running);
    for (long row = 0; row < rows; row++)
        for (long k = 0; k < bins; k++) running[k] += tonal[row * bins + k];
    for (long k = 1; k < bins; k++) running[k] += running[k - 1];
    float semitones[NOTES];
    double before = between(running, bins, 32.703 * exp2(-0.5 / 12) / width - 0.5);
    for (int note = 0; note < NOTES; note++) {
        double behind = between(running, bins, 32.703 * exp2((note + 0.5) / 12) / width - 0.5);
        semitones[note] = (float)most(behind - before, 0);
        before = behind;
    }
    quantized(semitones, NOTES, notes);
    return free(running), 0;
}
