/* What a sound is like in a fixed row of numbers: the parts that the folder sound/descriptors describes, in their
 * order. What all of them read is made here, once. */

#include "describe.h"

float ranked(float *values, long count, long k) {
    long low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i <= j) {
                float swapped = values[i];
                values[i++] = values[j], values[j--] = swapped;
            }
        }
        if (k <= j) high = j;
        else if (k >= i) low = i;
        else break;
    }
    return values[k];
}

/* Mean of the first `used` bins of long frames (frames, bins), loud frames counting by their amplitude. */
INLINE void long_spectrum(const float *tonal, long frames, long bins, long used, float *spectrum, double *sums) {
    memset(spectrum, 0, used * sizeof *spectrum);
    for (long i = 0; i < frames; i++) {
        const float *bin = tonal + i * bins;
        lanes all = spread(0);
        float rest = 0;
        long k = 0;
        for (; k + LANES <= used; k += LANES) all += load(bin + k);
        for (; k < used; k++) rest += bin[k];
        float share = 1 / sqrtf(sum(all) + rest + 1e-12f);
        for (k = 0; k < used; k++) spectrum[k] += share * bin[k];
    }
    double running = 0;
    for (long k = 0; k < used; k++) sums[k] = running += spectrum[k];
}

/* D of frames below the loudest band of all, and how much louder each is than the one before: in groups of bands, and
 * together in `total`. */
INLINE void levels_and_rises(const float *mel, long frames, float *decibels, float *flux, double *total) {
    float loudest = 0;
    for (long i = 0; i < frames * BANDS; i++) loudest = mel[i] > loudest ? mel[i] : loudest;
    for (long i = 0; i < frames; i++) {
        float *row = decibels + i * BANDS, rise[BANDS];
        for (int b = 0; b < BANDS; b += LANES) {
            lanes level_of = log2_lanes(load(mel + i * BANDS + b) / loudest + 1e-6f);
            store(row + b, level_of * (float)(10 * 0.30102999566 / 60) + 1.0f);
            lanes up = i ? load(row + b) - load(row + b - BANDS) : load(row + b);
            store(rise + b, larger(up, spread(0)));
        }
        total[i] = 0;
        for (int group = 0; group < GROUPS; group++) {
            float up = 0;
            for (int b = group_start[group]; b < group_start[group + 1]; b++) up += rise[b];
            flux[i * GROUPS + group] = up;
            total[i] += up;
        }
    }
}

/* Describes a sound: 59 + 169 + 37 + 20 + 35 + 7 numbers at `out`, and `pulses` (count,), the rise of each frame.
 *
 * `mel` (count, 40) is the excerpt to be described, `energy` (count,) its sums over bands, not all zero; `start` and
 * `stop` are its first frame that is heard and the one behind the last; `rate` are frames per second and `duration` the
 * seconds of the whole clip. `cells` are the energies of 2 * levels cells of the same excerpt (one of a single cell),
 * `level_rate` pairs of them to a second. `tonal` (frames, bins) are long frames, bins `width` Hz apart, of which
 * `used` go into the long spectrum, and `edges` (61,) where semitones begin. -1 when there is no memory. */
FAST int describe_sound(
    const float *mel, const double *energy, long count, long start, long stop, double rate, double duration,
    const float *cells, long levels, double level_rate, const float *tonal, long frames, long bins, long used,
    double width, const int32_t *edges, double *pulses, double *out
) {
    long n = stop - start, larger_of = n > used ? n : used;
    size_t floats = n * (BANDS + GROUPS) + larger_of + levels + used + 3 * LANES, doubles = 5 * n + used;
    double *room = malloc(doubles * sizeof(double) + floats * sizeof(float));
    if (!room) return -1;
    double *weights = room, *total = weights + n, *more = total + n, *sums = more + 3 * n;
    float *decibels = (float *)(sums + used), *flux = decibels + n * BANDS, *scratch = flux + n * GROUPS;
    float *level = scratch + larger_of, *spectrum = level + levels;

    mel += start * BANDS;
    long_spectrum(tonal, frames, bins, used, spectrum, sums);
    levels_and_rises(mel, n, decibels, flux, total);
    memset(pulses, 0, count * sizeof *pulses);
    memcpy(pulses + start, total, n * sizeof *total);
    double whole = 0;
    for (long i = 0; i < n; i++) whole += weights[i] = sqrt(energy[start + i]);
    for (long i = 0; i < n; i++) weights[i] /= whole;
    for (long i = 0; i < levels; i++) level[i] = sqrtf(cells[2 * i] + cells[2 * i + 1]);

    struct sound sound = {n, rate, duration, mel, decibels, flux, weights, total, used, width, spectrum, sums, scratch};
    out = describe_spectrum(&sound, out);
    out = describe_timbre(&sound, out);
    out = describe_tonality(&sound, out);
    out = describe_rhythm(&sound, more, out);
    out = describe_envelope(level, levels, level_rate, out);
    int status = describe_looping(energy, count, rate, tonal, frames, bins, edges, out);
    return free(room), status;
}
