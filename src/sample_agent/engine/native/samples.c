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

/* A filter of four states for eight samples at a time: what samples and states add to the output and to the states. */
struct weighing {
    lanes into[LANES], from_state[4];
    four enters[LANES];
    quad moves[4];
};

INLINE lanes eight_weighted(const struct weighing *filter, const float *x, quad *state) {
    quad now = *state;
    lanes y = spread(x[0]) * filter->into[0], also = spread(x[1]) * filter->into[1];
    four enter = (four){x[0], x[0], x[0], x[0]} * filter->enters[0];
    four more = (four){x[1], x[1], x[1], x[1]} * filter->enters[1];
    for (int j = 2; j < LANES; j += 2) {
        y += spread(x[j]) * filter->into[j], also += spread(x[j + 1]) * filter->into[j + 1];
        enter += (four){x[j], x[j], x[j], x[j]} * filter->enters[j];
        more += (four){x[j + 1], x[j + 1], x[j + 1], x[j + 1]} * filter->enters[j + 1];
    }
    y += spread((float)now[0]) * filter->from_state[0], also += spread((float)now[1]) * filter->from_state[1];
    y += spread((float)now[2]) * filter->from_state[2], also += spread((float)now[3]) * filter->from_state[3];
    /* In this order, because each state waits for the one before: as few steps as can be. */
    enter += more;
    quad a = (quad){now[0], now[0], now[0], now[0]} * filter->moves[0];
    quad b = (quad){now[1], now[1], now[1], now[1]} * filter->moves[1];
    quad c = (quad){now[2], now[2], now[2], now[2]} * filter->moves[2];
    quad d = (quad){now[3], now[3], now[3], now[3]} * filter->moves[3];
    *state = (a + b) + ((c + d) + (quad){enter[0], enter[1], enter[2], enter[3]});
    return y + also;
}

/* Energy of `length` filtered samples, at most 64. */
INLINE double energy_of(const struct weighing *filter, const float *x, long length, quad *state) {
    lanes energy = spread(0);
    for (long i = 0; i < length; i += LANES) {
        if (length - i >= LANES) {
            lanes y = eight_weighted(filter, x + i, state);
            energy += y * y;
            continue;
        }
        float tail[LANES] = {0};
        memcpy(tail, x + i, (length - i) * sizeof(float));
        lanes y = eight_weighted(filter, tail, state);
        for (long lane = length - i; lane < LANES; lane++) y[lane] = 0;
        energy += y * y;
    }
    return sum(energy);
}

/* Runs a filter of four states over channels (channels, count) and adds the energy of what comes out to `steps`, each
 * channel's `weights` times: a step lasts `step` samples, and the first sample is number `position` of the first
 * step's. `output` (12, 8) takes eight samples and the state to eight samples of output, `onward` (12, 4) to the next
 * state; `states` (channels, 4) are those before and behind. */
FAST void weighted_energy(
    const float *samples, long channels, long count, const float *output, const double *onward, double *states,
    const double *weights, double step, double position, double *steps
) {
    enum { CELL = 64 };
    struct weighing filter;
    for (int i = 0; i < LANES; i++) {
        filter.into[i] = load(output + LANES * i);
        for (int j = 0; j < 4; j++) filter.enters[i][j] = (float)onward[4 * i + j];
    }
    for (int i = 0; i < 4; i++) {
        filter.from_state[i] = load(output + LANES * (LANES + i));
        memcpy(filter.moves + i, onward + 4 * (LANES + i), sizeof(quad));
    }
    for (long channel = 0; channel < channels; channel += 2) {
        /* Two channels side by side: while one waits for its state, the other goes on. */
        int pair = channel + 1 < channels;
        const float *one = samples + channel * count, *other = one + (pair ? count : 0);
        double weight = weights[channel], other_weight = pair ? weights[channel + 1] : 0, end = step, *here = steps;
        quad now, other_now = {0};
        memcpy(&now, states + 4 * channel, sizeof now);
        if (pair) memcpy(&other_now, states + 4 * (channel + 1), sizeof now);
        for (long start = 0; start < count; start += CELL) {
            long length = count - start < CELL ? count - start : CELL;
            double total;
            if (pair && length == CELL) {
                lanes energy = spread(0), other_energy = spread(0);
                for (long i = start; i < start + CELL; i += LANES) {
                    lanes y = eight_weighted(&filter, one + i, &now), z = eight_weighted(&filter, other + i, &other_now);
                    energy += y * y, other_energy += z * z;
                }
                total = weight * sum(energy) + other_weight * sum(other_energy);
            } else {
                total = weight * energy_of(&filter, one + start, length, &now);
                if (pair) total += other_weight * energy_of(&filter, other + start, length, &other_now);
            }
            /* A cell over the end of a step is shared out by length. */
            double behind = position + start + length;
            if (behind > end) {
                double after = total * (behind - end) / length;
                here[0] += total - after;
                *++here += after;
                end += step;
            } else
                *here += total;
        }
        memcpy(states + 4 * channel, &now, sizeof now);
        if (pair) memcpy(states + 4 * (channel + 1), &other_now, sizeof now);
    }
}

/* The largest size of a sample. */
INLINE float largest_of(const float *samples, long length) {
    float largest = 0;
    lanes most = spread(0);
    long i = 0;
    for (; i + LANES <= length; i += LANES) {
        lanes x = load(samples + i);
        most = larger(larger(x, -x), most);
    }
    for (; i < length; i++) largest = fmaxf(largest, fabsf(samples[i]));
    for (int lane = 0; lane < LANES; lane++) largest = fmaxf(largest, most[lane]);
    return largest;
}

/* The largest size of a point between samples, around those that are no smaller than their neighbours and than
 * `least`; the first and last six samples are only looked at from others. */
INLINE float largest_between(const float *samples, long length, const float *taps, long between, float least) {
    enum { TAPS = 12, MIDDLE = TAPS / 2, PIECE = 64 };
    float highest = 0;
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
    return highest;
}

/* Largest size of a sample, and of a point between samples, of channels (channels, length) whose first and last twelve
 * samples overlap with their neighbours'. `taps` (12, between) interpolates around samples of at least half the largest
 * so far. `peaks` is (sample, true), so far and then with these; the largest sample of these is returned. */
FAST float find_peaks(
    const float *samples, long channels, long length, const float *taps, long between, double *peaks
) {
    float largest = 0;
    for (long channel = 0; channel < channels; channel++)
        largest = fmaxf(largest, largest_of(samples + channel * length, length));
    peaks[0] = most(peaks[0], largest), peaks[1] = most(peaks[1], peaks[0]);
    for (long channel = 0; between && channel < channels; channel++) {
        float least = (float)most(peaks[1] * 0.5, 1e-6);
        peaks[1] = most(peaks[1], largest_between(samples + channel * length, length, taps, between, least));
    }
    return largest;
}

/* `outputs` neighbouring ones of the filter below: side by side, they share what is read of the response. */
INLINE void decimated(
    const float *samples, long factor, const float *response, long taps, int outputs, float *out
) {
    lanes total[4], other[4];
    for (int k = 0; k < outputs; k++) total[k] = load(samples + k * factor) * load(response), other[k] = spread(0);
    long j = LANES;
    for (; j + 2 * LANES < taps; j += 2 * LANES) {
        lanes one = load(response + j), two = load(response + j + LANES);
        for (int k = 0; k < outputs; k++) {
            total[k] += load(samples + k * factor + j) * one;
            other[k] += load(samples + k * factor + j + LANES) * two;
        }
    }
    for (; j + LANES <= taps; j += LANES)
        for (int k = 0; k < outputs; k++) other[k] += load(samples + k * factor + j) * load(response + j);
    for (int k = 0; k < outputs; k++)
        out[k] = sum(total[k] + other[k]) + samples[k * factor + taps - 1] * response[taps - 1];
}

/* `count` outputs of a filter of `taps` weights (one more than a multiple of eight), `factor` samples apart. */
FAST void decimate(const float *samples, long count, long factor, const float *response, long taps, float *out) {
    long i = 0;
    for (; i + 4 <= count; i += 4) decimated(samples + i * factor, factor, response, taps, 4, out + i);
    for (; i < count; i++) decimated(samples + i * factor, factor, response, taps, 1, out + i);
}

/* Which state of functions.h this is; native/__init__.py must say the same. */
long kernel_version(void) { return 10; }
