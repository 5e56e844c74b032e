/* One pass over the samples for each thing that is read from them: sums, cells, weighted energy, peaks, decimation. */

#include "kernel.h"

typedef double quad __attribute__((vector_size(32)));
typedef float four __attribute__((vector_size(16)));

/* Takes a block (count, channels) apart: `planar` (channels, count) and the mean of the channels, `mono` (count,).
 * `sums` and `powers` (channels,) get the sums and sums of squares, `others` the sum of squares of the mean and, with
 * two channels, that of their product. */
FAST void take_apart(
    const float *block, long count, long channels, float *planar, float *mono, double *sums, double *powers,
    double *others
) {
    enum { PIECE = 512 };
    memset(sums, 0, channels * sizeof *sums);
    memset(powers, 0, channels * sizeof *powers);
    others[0] = others[1] = 0;
    for (long start = 0; start < count; start += PIECE) {
        long length = count - start < PIECE ? count - start : PIECE;
        const float *from = block + start * channels;
        float *mean = mono + start;
        if (channels == 1) memcpy(planar + start, from, length * sizeof(float));
        else if (channels == 2) {
            float *left = planar + start, *right = planar + count + start;
            for (long i = 0; i < length; i++) left[i] = from[2 * i], right[i] = from[2 * i + 1];
        } else
            for (long channel = 0; channel < channels; channel++)
                for (long i = 0; i < length; i++) planar[channel * count + start + i] = from[i * channels + channel];
        memcpy(mean, planar + start, length * sizeof(float));
        for (long channel = 1; channel < channels; channel++) {
            const float *more = planar + channel * count + start;
            for (long i = 0; i < length; i++) mean[i] += more[i];
        }
        float share = 1.0f / channels;
        if (channels > 1)
            for (long i = 0; i < length; i++) mean[i] *= share;
        for (long channel = 0; channel < channels; channel++) {
            const float *one = planar + channel * count + start;
            lanes total = spread(0), power = spread(0);
            long i = 0;
            for (; i + LANES <= length; i += LANES) {
                lanes x = load(one + i);
                total += x, power += x * x;
            }
            float total_rest = 0, power_rest = 0;
            for (; i < length; i++) total_rest += one[i], power_rest += one[i] * one[i];
            sums[channel] += sum(total) + total_rest, powers[channel] += sum(power) + power_rest;
        }
        const float *left = planar + start, *right = planar + (channels == 2 ? count : 0) + start;
        lanes power = spread(0), product = spread(0);
        long i = 0;
        for (; i + LANES <= length; i += LANES) {
            lanes x = load(mean + i);
            power += x * x, product += load(left + i) * load(right + i);
        }
        others[0] += sum(power), others[1] += sum(product);
        for (; i < length; i++) others[0] += mean[i] * mean[i], others[1] += left[i] * right[i];
    }
}

/* Cells of `size` samples (a multiple of eight) of a signal of `cells` such: extremes, sums of squares, and how many
 * samples have another sign than the one before. `negative` is the sign before the first sample, then that of the
 * last. Returns the number of crossings. */
FAST long measure_cells(
    const float *mono, long cells, long size, int32_t *negative, float *minimum, float *maximum, float *energy,
    uint16_t *crossings
) {
    long all = 0;
    int32_t last = *negative ? -1 : 0;
    for (long cell = 0; cell < cells; cell++, mono += size) {
        lanes lowest = load(mono), highest = lowest, power = spread(0);
        lane_ints changes = {0};
        for (long i = 0; i < size; i += LANES) {
            lanes x = load(mono + i);
            lowest = smaller(x, lowest), highest = larger(x, highest);
            power += x * x;
            lane_ints signs = (lane_ints)x >> 31, before;
            if (i) before = (lane_ints)load(mono + i - 1) >> 31;
            else {
                before = (lane_ints){last, signs[0], signs[1], signs[2], signs[3], signs[4], signs[5], signs[6]};
            }
            changes -= signs ^ before;
        }
        float low = lowest[0], high = highest[0];
        long changed = 0;
        for (int lane = 0; lane < LANES; lane++) {
            low = lowest[lane] < low ? lowest[lane] : low;
            high = highest[lane] > high ? highest[lane] : high;
            changed += changes[lane];
        }
        minimum[cell] = low, maximum[cell] = high, energy[cell] = sum(power), crossings[cell] = (uint16_t)changed;
        all += changed;
        last = signbit(mono[size - 1]) ? -1 : 0;
    }
    *negative = last != 0;
    return all;
}

/* Runs a filter of four states over a signal and adds the energy of what comes out to `steps`, `weight` times: a step
 * lasts `step` samples, and the first sample is number `position` of the first step's. Eight samples at a time: `output`
 * (12, 8) takes eight samples and the state to eight samples of output, `onward` (12, 4) to the next state. */
FAST void weighted_energy(
    const float *samples, long count, const float *output, const double *onward, double *state, double weight,
    double step, double position, double *steps
) {
    enum { CELL = 64 };
    quad now, moves[4];
    memcpy(&now, state, sizeof now);
    lanes into[LANES], from_state[4];
    four enters[LANES];
    for (int i = 0; i < LANES; i++) {
        into[i] = load(output + LANES * i);
        for (int j = 0; j < 4; j++) enters[i][j] = (float)onward[4 * i + j];
    }
    for (int i = 0; i < 4; i++) {
        from_state[i] = load(output + LANES * (LANES + i));
        memcpy(moves + i, onward + 4 * (LANES + i), sizeof(quad));
    }
    double end = step;
    for (long start = 0; start < count; start += CELL) {
        long length = count - start < CELL ? count - start : CELL;
        lanes energy = spread(0);
        for (long i = 0; i < length; i += LANES) {
            float tail[LANES] = {0};
            const float *x = samples + start + i;
            long left = length - i;
            if (left < LANES) {
                memcpy(tail, x, left * sizeof(float));
                x = tail;
            }
            lanes y = spread(x[0]) * into[0], also = spread(x[1]) * into[1];
            four enter = (four){x[0], x[0], x[0], x[0]} * enters[0], more = (four){x[1], x[1], x[1], x[1]} * enters[1];
            for (int j = 2; j < LANES; j += 2) {
                y += spread(x[j]) * into[j], also += spread(x[j + 1]) * into[j + 1];
                enter += (four){x[j], x[j], x[j], x[j]} * enters[j];
                more += (four){x[j + 1], x[j + 1], x[j + 1], x[j + 1]} * enters[j + 1];
            }
            y += spread((float)now[0]) * from_state[0], also += spread((float)now[1]) * from_state[1];
            y += spread((float)now[2]) * from_state[2], also += spread((float)now[3]) * from_state[3];
            y += also;
            /* In this order, because each state waits for the one before: as few steps as can be. */
            enter += more;
            quad a = (quad){now[0], now[0], now[0], now[0]} * moves[0], b = (quad){now[1], now[1], now[1], now[1]} * moves[1];
            quad c = (quad){now[2], now[2], now[2], now[2]} * moves[2], d = (quad){now[3], now[3], now[3], now[3]} * moves[3];
            now = (a + b) + ((c + d) + (quad){enter[0], enter[1], enter[2], enter[3]});
            if (left < LANES)
                for (long lane = left; lane < LANES; lane++) y[lane] = 0;
            energy += y * y;
        }
        /* A cell over the end of a step is shared out by length. */
        double total = weight * sum(energy), behind = position + start + length;
        if (behind > end) {
            double after = total * (behind - end) / length;
            steps[0] += total - after;
            *++steps += after;
            end += step;
        } else
            *steps += total;
    }
    memcpy(state, &now, sizeof now);
}

/* Largest size of a sample, and of a point between samples, of a signal (length,) whose first and last twelve samples
 * overlap with its neighbours'. `taps` (12, between) interpolates; only around samples that are no smaller than their
 * neighbours and than half of the largest so far. `peaks` is (sample, true), so far and then with this signal's; the
 * largest sample of this signal is returned. */
FAST float find_peaks(const float *samples, long length, const float *taps, long between, double *peaks) {
    enum { TAPS = 12, MIDDLE = TAPS / 2, PIECE = 64 };
    float largest = 0;
    lanes most = spread(0);
    long i = 0;
    for (; i + LANES <= length; i += LANES) {
        lanes x = load(samples + i);
        most = larger(larger(x, -x), most);
    }
    for (; i < length; i++) largest = fmaxf(largest, fabsf(samples[i]));
    for (int lane = 0; lane < LANES; lane++) largest = fmaxf(largest, most[lane]);
    if (largest > peaks[0]) peaks[0] = largest;
    if (peaks[0] > peaks[1]) peaks[1] = peaks[0];
    if (!between) return largest;
    float least = (float)fmax(peaks[1] * 0.5, 1e-6), highest = 0;
    long first = MIDDLE, last = length - MIDDLE;
    for (long start = first; start < last; start += PIECE) {
        long stop = start + PIECE < last ? start + PIECE : last;
        if (stop - start == PIECE) {
            lanes here = spread(0);
            for (long at = start; at < stop; at += LANES) {
                lanes x = load(samples + at);
                here = larger(larger(x, -x), here);
            }
            int loud = 0;
            for (int lane = 0; lane < LANES; lane++) loud |= here[lane] >= least;
            if (!loud) continue;
        }
        for (long at = start; at < stop; at++) {
            float size = fabsf(samples[at]);
            if (size < least || (at > first && size < fabsf(samples[at - 1]))) continue;
            if (at + 1 < last && size < fabsf(samples[at + 1])) continue;
            for (int side = 0; side < 2; side++) {
                const float *around = samples + at - MIDDLE + side;
                for (long point = 0; point < between; point++) {
                    float value = 0;
                    for (int tap = 0; tap < TAPS; tap++) value += around[tap] * taps[tap * between + point];
                    highest = fmaxf(highest, fabsf(value));
                }
            }
        }
    }
    if (highest > peaks[1]) peaks[1] = highest;
    return largest;
}

/* `count` outputs of a filter of `taps` weights (one more than a multiple of eight), `factor` samples apart. */
FAST void decimate(const float *samples, long count, long factor, const float *response, long taps, float *out) {
    for (long i = 0; i < count; i++, samples += factor) {
        lanes total = load(samples) * load(response), other = spread(0);
        long j = LANES;
        for (; j + 2 * LANES < taps; j += 2 * LANES) {
            total += load(samples + j) * load(response + j);
            other += load(samples + j + LANES) * load(response + j + LANES);
        }
        for (; j + LANES <= taps; j += LANES) other += load(samples + j) * load(response + j);
        out[i] = sum(total + other) + samples[taps - 1] * response[taps - 1];
    }
}

/* Which signatures these sources have; see signatures.py. */
long kernel_version(void) { return 5; }
