/* The heavy parts of pitch.py, and of the tones that keys are told from. */

#include "kernel.h"

/* Normalised similarity of windows (count, size) with themselves at lags from 1 on: `alike` (count, lags) from their
 * autocorrelation (count, stride), at `correlation` from lag 0 on; `mean` (lags,) over the windows. */
FAST void similarity(
    const float *windows, long count, long size, const float *correlation, long stride, long lags, double *alike,
    double *mean
) {
    for (long w = 0; w < count; w++, windows += size, correlation += stride, alike += lags) {
        double energy = 0, ends = 0;
        for (long i = 0; i < size; i += LANES) energy += sum(load(windows + i) * load(windows + i));
        for (long lag = 0; lag < lags; lag++) {
            /* What a lag leaves out at both ends is not in its norm. */
            float first = windows[lag], last = windows[size - 1 - lag];
            ends += first * first + last * last;
            alike[lag] = 2 * correlation[lag + 1] / most(2 * energy - ends, 1e-12);
            mean[lag] = (w ? mean[lag] : 0) + alike[lag] / count;
        }
    }
}

/* Amplitudes as under a Hann window, from spectra (count, bins) of pairs of windows without one, of twice their length;
 * mean of windows by their `energy`; `highest` has the largest of each and its two neighbours. */
FAST void hann_amplitude(
    const float *spectra, long count, long bins, const float *energy, float *amplitude, float *highest
) {
    for (long w = 0; w < count; w++, spectra += 2 * bins) {
        float share = 1 / (energy[w] > 1e-12f ? energy[w] : 1e-12f);
        for (long k = 0; k < bins; k++) {
            float part[2];
            for (int i = 0; i < 2; i++) {
                float value = 0.5f * spectra[2 * k + i];
                if (k >= 2) value -= 0.25f * spectra[2 * k - 4 + i];
                if (k + 2 < bins) value -= 0.25f * spectra[2 * k + 4 + i];
                part[i] = value;
            }
            float power = share * (part[0] * part[0] + part[1] * part[1]);
            amplitude[k] = w ? amplitude[k] + power : power;
        }
    }
    for (long k = 0; k < bins; k++) amplitude[k] = sqrtf(amplitude[k]);
    highest[0] = highest[bins - 1] = 0;
    for (long k = 1; k + 1 < bins; k++) {
        float here = amplitude[k - 1] > amplitude[k + 1] ? amplitude[k - 1] : amplitude[k + 1];
        highest[k] = amplitude[k] > here ? amplitude[k] : here;
    }
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
