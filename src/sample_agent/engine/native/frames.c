/* Spectra of overlapping frames, and everything that is read from a short frame, eight frames at a time. */

#include "kernel.h"

#define MEL_BANDS 40
#define CONTRAST_BANDS 7
#define COLUMNS 12 /* centroid, bandwidth, rolloff, flatness, contrast in seven bands, weight */

/* ---- the transform ---- */

/* Tables for frames of `size` samples; `window` is copied. NULL when there is no memory. */
struct transform *transform_new(long size, const float *window) {
    struct transform *tables = calloc(1, sizeof *tables);
    if (!tables) return NULL;
    tables->size = size;
    tables->window = malloc(size * sizeof(float));
    tables->turns = malloc(4 * size * sizeof(float));
    tables->halves = malloc((size + 2) * sizeof(float));
    if (!tables->window || !tables->turns || !tables->halves) return NULL;
    memcpy(tables->window, window, size * sizeof(float));
    float *turn = tables->turns;
    for (long n = size / 2; n > 2; n /= 4)
        for (long p = 0; p < n / 4; p++)
            for (int factor = 1; factor <= 3; factor++) {
                double angle = -2.0 * M_PI * factor * p / n;
                *turn++ = (float)cos(angle);
                *turn++ = (float)sin(angle);
            }
    for (long k = 0; k <= size / 2; k++) {
        tables->halves[2 * k] = (float)cos(-2.0 * M_PI * k / size);
        tables->halves[2 * k + 1] = (float)sin(-2.0 * M_PI * k / size);
    }
    return tables;
}

size_t transform_room(const struct transform *tables) { return 2 * tables->size * sizeof(lanes); }

/* Eight rows of eight neighbouring numbers, `step` apart, turned into eight vectors of one number of each row. */
INLINE void turned(const float *const row[LANES], long at, lanes out[LANES]) {
    lanes r[LANES], a[LANES], b[LANES];
    for (int i = 0; i < LANES; i++) r[i] = load(row[i] + at);
    for (int i = 0; i < LANES; i += 2) {
        a[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < LANES; i += 4)
        for (int j = 0; j < 2; j++) {
            b[i + j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + j + 2] = __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int j = 0; j < 4; j++) {
        out[j] = __builtin_shufflevector(b[j], b[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        out[j + 4] = __builtin_shufflevector(b[j], b[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* One step of Stockham's transform of radix 4: `n` points, `s` transforms side by side, from `x` to `y`; points are
 * pairs of vectors (real, imaginary). Returns the factors of the next step. */
INLINE const float *quarter(long n, long s, const float *turn, const lanes *restrict x, lanes *restrict y) {
    long m = n / 4;
    for (long p = 0; p < m; p++, turn += 6) {
        lanes c1 = spread(turn[0]), s1 = spread(turn[1]), c2 = spread(turn[2]), s2 = spread(turn[3]);
        lanes c3 = spread(turn[4]), s3 = spread(turn[5]);
        for (long q = 0; q < s; q++) {
            const lanes *a = x + 2 * (q + s * p), *b = a + 2 * s * m, *c = b + 2 * s * m, *d = c + 2 * s * m;
            lanes *out = y + 2 * (q + s * 4 * p);
            lanes sum_r = a[0] + c[0], sum_i = a[1] + c[1], less_r = a[0] - c[0], less_i = a[1] - c[1];
            lanes other_r = b[0] + d[0], other_i = b[1] + d[1], turned_r = d[1] - b[1], turned_i = b[0] - d[0];
            lanes one_r = less_r - turned_r, one_i = less_i - turned_i;
            lanes two_r = sum_r - other_r, two_i = sum_i - other_i;
            lanes three_r = less_r + turned_r, three_i = less_i + turned_i;
            out[0] = sum_r + other_r, out[1] = sum_i + other_i;
            out += 2 * s;
            out[0] = one_r * c1 - one_i * s1, out[1] = one_r * s1 + one_i * c1;
            out += 2 * s;
            out[0] = two_r * c2 - two_i * s2, out[1] = two_r * s2 + two_i * c2;
            out += 2 * s;
            out[0] = three_r * c3 - three_i * s3, out[1] = three_r * s3 + three_i * c3;
        }
    }
    return turn;
}

/* The complex transforms of size / 2 pairs of vectors at `room`, which is left with them where the result says. */
INLINE lanes *complex_of_lanes(const struct transform *tables, lanes *room) {
    long half = tables->size / 2;
    lanes *x = room, *y = room + 2 * half;
    const float *turn = tables->turns;
    long n = half, s = 1;
    for (; n > 2; n /= 4, s *= 4) {
        turn = quarter(n, s, turn, x, y);
        lanes *swapped = x;
        x = y, y = swapped;
    }
    if (n == 2) {
        for (long q = 0; q < 2 * s; q++) {
            lanes a = x[q], b = x[q + 2 * s];
            x[q] = a + b, x[q + 2 * s] = a - b;
        }
    }
    return x;
}

/* Power of the spectra of eight windowed frames, (size / 2 + 1,) vectors at `power`, in a room of `transform_room`. */
INLINE void power_of_lanes(const struct transform *tables, const float *const frame[LANES], lanes *room, lanes *power) {
    long half = tables->size / 2;
    for (long i = 0; i < tables->size; i += LANES) {
        turned(frame, i, room + i);
        for (int j = 0; j < LANES; j++) room[i + j] *= spread(tables->window[i + j]);
    }
    const lanes *x = complex_of_lanes(tables, room);
    /* Point k of a frame's transform from points k and half - k of that of its even and odd samples as a pair. */
    lanes mean = spread(0.5f);
    for (long k = 0; k <= half / 2; k++) {
        const lanes *a = x + 2 * k, *b = x + 2 * ((half - k) % half);
        lanes even_r = (a[0] + b[0]) * mean, even_i = (a[1] - b[1]) * mean;
        lanes odd_r = (a[1] + b[1]) * mean, odd_i = (b[0] - a[0]) * mean;
        lanes c = spread(tables->halves[2 * k]), w = spread(tables->halves[2 * k + 1]);
        lanes turn_r = odd_r * c - odd_i * w, turn_i = odd_r * w + odd_i * c;
        lanes low_r = even_r + turn_r, low_i = even_i + turn_i, high_r = even_r - turn_r, high_i = even_i - turn_i;
        power[k] = low_r * low_r + low_i * low_i;
        power[half - k] = high_r * high_r + high_i * high_i;
    }
}

/* ---- one long transform ---- */

/* Tables for transforms of one signal of `eighth->size` times eight samples: `turns` has, for every eight points,
 * cosines and sines of the factors of the second to the last eighth, and room for two vectors. */
struct long_transform {
    struct transform *eighth;
    lanes *turns;
};

/* Tables for signals of `size` samples, a power of two, at least 64. NULL when there is no memory. */
struct long_transform *long_transform_new(long size) {
    long eighth = size / LANES;
    struct long_transform *tables = malloc(sizeof *tables);
    float *window = calloc(eighth, sizeof(float));
    if (!tables || !window) return NULL;
    tables->eighth = transform_new(eighth, window);
    tables->turns = aligned_alloc(64, 2 * (eighth / 2 + LANES) * sizeof(lanes));
    free(window);
    if (!tables->eighth || !tables->turns) return NULL;
    lanes *turn = tables->turns;
    for (long k = 0; k <= eighth / 2; k += LANES, turn += 2 * LANES)
        for (int part = 1; part < LANES; part++)
            for (int lane = 0; lane < LANES; lane++) {
                turn[2 * (part - 1)][lane] = (float)cos(-2.0 * M_PI * (k + lane) * part / size);
                turn[2 * (part - 1) + 1][lane] = (float)sin(-2.0 * M_PI * (k + lane) * part / size);
            }
    return tables;
}

/* The spectrum of a real signal, (size / 2 + 1) pairs at `out`; `room` is that of transforms of an eighth, and two
 * vectors for each of their points. Each lane transforms every eighth sample; then lanes are put together. */
INLINE void spectrum_of_one(const struct long_transform *tables, const float *signal, lanes *room, float *out) {
    long size = tables->eighth->size, half = size / 2;
    lanes *points = room + 2 * size;
    for (long i = 0; i < size; i++) room[i] = load(signal + i * LANES);
    const lanes *x = complex_of_lanes(tables->eighth, room);
    lanes mean = spread(0.5f);
    for (long k = 0; k <= half / 2; k++) {
        const lanes *a = x + 2 * k, *b = x + 2 * ((half - k) % half);
        lanes even_r = (a[0] + b[0]) * mean, even_i = (a[1] - b[1]) * mean;
        lanes odd_r = (a[1] + b[1]) * mean, odd_i = (b[0] - a[0]) * mean;
        lanes c = spread(tables->eighth->halves[2 * k]), w = spread(tables->eighth->halves[2 * k + 1]);
        lanes turn_r = odd_r * c - odd_i * w, turn_i = odd_r * w + odd_i * c;
        points[2 * k] = even_r + turn_r, points[2 * k + 1] = even_i + turn_i;
        points[2 * (half - k)] = even_r - turn_r, points[2 * (half - k) + 1] = turn_i - even_i;
    }
    /* Eight points at a time, one lane each, so that the eighths of a point lie in eight vectors. */
    const float h = 0.70710678f;
    for (long k = 0; k <= half; k += LANES) {
        lanes re[LANES], im[LANES];
        const float *row_re[LANES], *row_im[LANES];
        for (int i = 0; i < LANES; i++) {
            /* Points behind the half are done and not used. */
            const lanes *point = points + 2 * (k + i <= half ? k + i : half);
            row_re[i] = (const float *)point, row_im[i] = (const float *)(point + 1);
        }
        turned(row_re, 0, re), turned(row_im, 0, im);
        const lanes *turn = tables->turns + 2 * k;
        for (int i = 1; i < LANES; i++, turn += 2) {
            lanes c = turn[0], s = turn[1], was = re[i];
            re[i] = was * c - im[i] * s, im[i] = was * s + im[i] * c;
        }
        /* A transform of eight, as two of four. */
        lanes out_re[LANES], out_im[LANES];
        lanes a_r = re[0] + re[4], a_i = im[0] + im[4], b_r = re[0] - re[4], b_i = im[0] - im[4];
        lanes c_r = re[2] + re[6], c_i = im[2] + im[6], d_r = im[2] - im[6], d_i = re[6] - re[2];
        lanes even_r[4] = {a_r + c_r, b_r + d_r, a_r - c_r, b_r - d_r};
        lanes even_i[4] = {a_i + c_i, b_i + d_i, a_i - c_i, b_i - d_i};
        lanes e_r = re[1] + re[5], e_i = im[1] + im[5], f_r = re[1] - re[5], f_i = im[1] - im[5];
        lanes g_r = re[3] + re[7], g_i = im[3] + im[7], j_r = im[3] - im[7], j_i = re[7] - re[3];
        lanes odd_r[4] = {e_r + g_r, f_r + j_r, e_r - g_r, f_r - j_r};
        lanes odd_i[4] = {e_i + g_i, f_i + j_i, e_i - g_i, f_i - j_i};
        const float cosine[4] = {1, h, 0, -h}, sine[4] = {0, -h, -1, -h};
        for (int q = 0; q < 4; q++) {
            lanes t_r = odd_r[q] * cosine[q] - odd_i[q] * sine[q], t_i = odd_r[q] * sine[q] + odd_i[q] * cosine[q];
            out_re[q] = even_r[q] + t_r, out_im[q] = even_i[q] + t_i;
            out_re[q + 4] = even_r[q] - t_r, out_im[q + 4] = even_i[q] - t_i;
        }
        for (int i = 0; i < LANES && k + i <= half; i++)
            for (int q = 0; q < 4; q++) {
                float *low = out + 2 * (k + i + q * size), *high = out + 2 * ((4 - q) * size - (k + i));
                low[0] = out_re[q][i], low[1] = out_im[q][i];
                /* The upper half of the circle is the lower one's mirror. */
                high[0] = out_re[q + 4][i], high[1] = -out_im[q + 4][i];
            }
    }
}

/* How windows (count, size) repeat, and their mean spectrum, for pitch.py; the windows lose their mean. `alike`
 * (count, lags) is the normalised similarity of each at lags from 1 on, `mean` (lags,) its mean over the windows. Of the
 * spectra, twice as fine as the windows' own: `amplitude` (size + 1,) as under a Hann window, windows weighed alike, and
 * `highest`, the largest of each and its two neighbours. 1; 0 for silence; -1 when there is no memory. */
FAST int pitch_curves(
    const struct long_transform *tables, float *windows, long count, long size, long lags, double *alike, double *mean,
    float *amplitude, float *highest
) {
    long eighth = tables->eighth->size, bins = size + 1;
    size_t room_size = transform_room(tables->eighth) + 2 * (eighth + 2) * sizeof(lanes);
    lanes *room = aligned_alloc(64, (room_size + 63) / 64 * 64);
    float *signal = malloc((2 * size + 2 * bins + LANES) * sizeof(float)), *spectrum = signal + 2 * size;
    if (!room || !signal) return free(room), free(signal), -1;
    double whole = 0;
    for (long w = 0; w < count; w++, windows += size, alike += lags) {
        double centre = 0, energy = 0, ends = 0;
        for (long i = 0; i < size; i += LANES) centre += sum(load(windows + i));
        lanes off = spread((float)(centre / size));
        for (long i = 0; i < size; i += LANES) {
            lanes x = load(windows + i) - off;
            store(windows + i, x), store(signal + i, x);
            energy += sum(x * x);
        }
        whole += energy;
        memset(signal + size, 0, size * sizeof(float));
        spectrum_of_one(tables, signal, room, spectrum);
        float share = 1 / (float)most(energy, 1e-12);
        for (long k = 0; k < bins; k++) {
            float part[2];
            for (int i = 0; i < 2; i++) {
                float value = 0.5f * spectrum[2 * k + i];
                if (k >= 2) value -= 0.25f * spectrum[2 * k - 4 + i];
                if (k + 2 < bins) value -= 0.25f * spectrum[2 * k + 4 + i];
                part[i] = value;
            }
            amplitude[k] = (w ? amplitude[k] : 0) + share * (part[0] * part[0] + part[1] * part[1]);
        }
        /* The power of a spectrum is real and the same both ways, so it is transformed back as it was forth. */
        for (long k = 0; k < bins; k++) {
            float power = spectrum[2 * k] * spectrum[2 * k] + spectrum[2 * k + 1] * spectrum[2 * k + 1];
            signal[k] = power;
            if (k) signal[2 * size - k] = power;
        }
        spectrum_of_one(tables, signal, room, spectrum);
        for (long lag = 0; lag < lags; lag++) {
            /* What a lag leaves out at both ends is not in its norm. */
            double first = windows[lag], last = windows[size - 1 - lag];
            ends += first * first + last * last;
            alike[lag] = 2 * (spectrum[2 * (lag + 1)] / (2.0 * size)) / most(2 * energy - ends, 1e-12);
            mean[lag] = (w ? mean[lag] : 0) + alike[lag] / count;
        }
    }
    for (long k = 0; k < bins; k++) amplitude[k] = sqrtf(amplitude[k]);
    highest[0] = highest[bins - 1] = 0;
    for (long k = 1; k + 1 < bins; k++) {
        float here = amplitude[k - 1] > amplitude[k + 1] ? amplitude[k - 1] : amplitude[k + 1];
        highest[k] = amplitude[k] > here ? amplitude[k] : here;
    }
    return free(room), free(signal), whole > 0;
}

/* ---- what is read from short frames ---- */

/* Sums of power under each filter, to `out` (lanes used, number). */
INLINE void filtered(const struct filters *filters, const lanes *power, long used, float *out) {
    const float *weight = filters->weights;
    for (long i = 0; i < filters->number; i++) {
        const lanes *bin = power + filters->first[i];
        lanes total = spread(0), other = spread(0);
        long count = filters->count[i], j = 0;
        for (; j + 1 < count; j += 2) {
            total += bin[j] * spread(weight[j]);
            other += bin[j + 1] * spread(weight[j + 1]);
        }
        if (j < count) total += bin[j] * spread(weight[j]);
        weight += count;
        total += other;
        for (long lane = 0; lane < used; lane++) out[lane * filters->number + i] = total[lane];
    }
}

/* Centroid, bandwidth, rolloff, flatness, contrast and weight; the same as centroid.py and its neighbours say. */
INLINE void described(
    long bins, float nyquist, const int32_t *bands, const lanes *power, lanes *magnitude, long used, float *out
) {
    lanes total = spread(0), first = spread(0), second = spread(0), energy = spread(0);
    lanes product = spread(1), floor = spread(1e-20f);
    lane_ints exponents = {0};
    double logs[LANES] = {0};
    for (long k = 0; k < bins; k++) {
        lanes value = root(power[k]), frequency = spread((float)((double)k / (bins - 1)));
        magnitude[k] = value;
        total += value;
        first += value * frequency;
        second += value * (frequency * frequency);
        energy += power[k];
        /* The logarithm of a product: exponents add up, mantissas (1 to 2) are multiplied. */
        lane_ints bits = (lane_ints)larger(power[k], floor);
        exponents += (bits >> 23) - 127;
        product *= (lanes)((bits & 0x7fffff) | 0x3f800000);
        if (k % 64 == 63 || k == bins - 1) {
            for (int lane = 0; lane < LANES; lane++) logs[lane] += log2f(product[lane]);
            product = spread(1);
        }
    }
    lanes contrasts[CONTRAST_BANDS][2];
    for (int band = 0; band < CONTRAST_BANDS; band++) {
        const lanes *bin = magnitude + bands[3 * band];
        long groups = bands[3 * band + 1], each = bands[3 * band + 2];
        lanes valleys = spread(0), peaks = spread(0);
        for (long group = 0; group < groups; group++, bin += each) {
            lanes lowest = bin[0], highest = bin[0];
            for (long j = 1; j < each; j++) lowest = smaller(lowest, bin[j]), highest = larger(highest, bin[j]);
            valleys += lowest, peaks += highest;
        }
        contrasts[band][0] = valleys / spread((float)groups), contrasts[band][1] = peaks / spread((float)groups);
    }
    /* Without the constant part, which the rolloff leaves out. */
    lanes wanted = (total - magnitude[0]) * spread(0.85f), running = spread(0), reached = spread(0);
    for (long k = 1; k < bins; k++) {
        running += magnitude[k];
        reached += pick(running < wanted, spread(1), spread(0));
    }
    for (long lane = 0; lane < used; lane++, out += COLUMNS) {
        float all = fmaxf(total[lane], 1e-10f), centre = first[lane] / all;
        out[0] = centre * nyquist;
        out[1] = sqrtf(fmaxf(second[lane] / all - centre * centre, 0)) * nyquist;
        float index = 1 + fminf(reached[lane], (float)(bins - 2));
        out[2] = wanted[lane] > 0 ? index * (nyquist / (bins - 1)) : 0;
        float mean = energy[lane] / bins;
        double geometric = exp2((logs[lane] + exponents[lane]) / bins);
        out[3] = mean > 1e-20f ? (float)fmin(geometric / mean, 1) : 0;
        for (int band = 0; band < CONTRAST_BANDS; band++)
            out[4 + band] = 20 * log10f((contrasts[band][1][lane] + 1e-10f) / (contrasts[band][0][lane] + 1e-10f));
        out[COLUMNS - 1] = sqrtf(energy[lane]);
    }
}

/* Where the next frames of `count` begin, from `start` on; a lane without one hears silence. How many there are. */
static long lanes_at(
    const float *samples, const float *silence, long hop, long start, long count, const float *frame[LANES]
) {
    long used = count - start < LANES ? count - start : LANES;
    for (long lane = 0; lane < LANES; lane++) frame[lane] = lane < used ? samples + (start + lane) * hop : silence;
    return used;
}

/* Power spectra of `count` frames, `hop` samples apart, to `out` (count, size / 2 + 1). -1 when there is no memory. */
FAST int power_frames(const struct transform *tables, const float *samples, long hop, long count, float *out) {
    long bins = tables->size / 2 + 1;
    lanes *room = aligned_alloc(64, transform_room(tables) + (bins + 1) / 2 * 2 * sizeof(lanes));
    float *silence = calloc(tables->size, sizeof(float));
    if (!room || !silence) return free(room), free(silence), -1;
    lanes *power = room + 2 * tables->size;
    for (long start = 0; start < count; start += LANES) {
        const float *frame[LANES];
        long used = lanes_at(samples, silence, hop, start, count, frame);
        power_of_lanes(tables, frame, room, power);
        for (long lane = 0; lane < used; lane++)
            for (long k = 0; k < bins; k++) out[(start + lane) * bins + k] = power[k][lane];
    }
    return free(room), free(silence), 0;
}

/* What is read from `count` short frames, `hop` samples apart; each of the outputs may be NULL: `mel` (count, mel
 * filters), `rows` (count, row filters), `statistics` (count, COLUMNS). `bands` (7, 3) has first bin, groups and bins
 * in a group of each band of the contrast; `nyquist` is in Hz. -1 when there is no memory. */
FAST int short_frames(
    const struct transform *tables, const struct filters *mel_filters, const struct filters *row_filters,
    const int32_t *bands, float nyquist, const float *samples, long hop, long count, float *mel, float *rows,
    float *statistics
) {
    long bins = tables->size / 2 + 1;
    lanes *room = aligned_alloc(64, transform_room(tables) + (bins + 1) / 2 * 2 * sizeof(lanes));
    float *silence = calloc(tables->size, sizeof(float));
    if (!room || !silence) return free(room), free(silence), -1;
    lanes *power = room + 2 * tables->size;
    for (long start = 0; start < count; start += LANES) {
        const float *frame[LANES];
        long used = lanes_at(samples, silence, hop, start, count, frame);
        power_of_lanes(tables, frame, room, power);
        if (mel) filtered(mel_filters, power, used, mel + start * mel_filters->number);
        if (rows) filtered(row_filters, power, used, rows + start * row_filters->number);
        /* The transform's room is free again, and as large as the magnitudes. */
        if (statistics) described(bins, nyquist, bands, power, room, used, statistics + start * COLUMNS);
    }
    return free(room), free(silence), 0;
}
