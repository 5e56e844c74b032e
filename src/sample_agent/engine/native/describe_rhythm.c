/* How many sounds, how regular, how much comes back: 20 numbers, see sound/descriptors/rhythm.py. */

#include "describe.h"

static int by_size(const void *a, const void *b) {
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Highest autocorrelation between two lags, of what is left of values without their mean; its lag in `at`. */
INLINE double autocorrelation(double *values, long count, long first, long last, long *at) {
    double mean = 0, whole = 0, best = -1e300;
    for (long i = 0; i < count; i++) mean += values[i];
    mean /= count;
    for (long i = 0; i < count; i++) values[i] -= mean, whole += values[i] * values[i];
    for (long lag = first; lag < last; lag++) {
        double sums[4] = {0};
        long i = 0;
        for (; i + 4 <= count - lag; i += 4)
            for (int j = 0; j < 4; j++) sums[j] += values[i + j] * values[i + j + lag];
        for (; i < count - lag; i++) sums[0] += values[i] * values[i + lag];
        double it = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        if (it > best) best = it, *at = lag;
    }
    return best / most(whole, 1e-12);
}

/* How much the second half resembles the first: correlation of D, each band without its mean. */
INLINE double likeness_of_halves(const struct sound *s) {
    long half = s->frames / 2;
    double product = 0, one = 0, other = 0;
    if (half <= 8) return 0;
    for (int b = 0; b < BANDS; b++) {
        double mean = 0, other_mean = 0;
        for (long i = 0; i < half; i++)
            mean += s->decibels[i * BANDS + b], other_mean += s->decibels[(i + half) * BANDS + b];
        mean /= half, other_mean /= half;
        for (long i = 0; i < half; i++) {
            double x = s->decibels[i * BANDS + b] - mean, y = s->decibels[(i + half) * BANDS + b] - other_mean;
            product += x * y, one += x * x, other += y * y;
        }
    }
    double scale = sqrt(one * other);
    return scale > 1e-9 ? product / scale : 0;
}

/* How long it sounds, and how loud: shares of frames above two levels, the level at the end and on the mean, where the
 * middle of it lies, how much D moves: 6 numbers. */
INLINE double *course_of_level(const struct sound *s, double *out) {
    double loudest = 0, level = 0, middle = 0, end = 0, loudness = 0, loudness_square = 0;
    long n = s->frames, sounding = 0, loud = 0, tenth = n / 10 > 1 ? n / 10 : 1;
    for (long i = 0; i < n; i++) loudest = most(loudest, s->weights[i]);
    for (long i = 0; i < n; i++) {
        double it = s->weights[i] / loudest, mean = 0;
        level += it, middle += i * it;
        sounding += it > 0.03, loud += it > 0.3;
        if (i >= n - tenth) end += it / tenth;
        for (int b = 0; b < BANDS; b++) mean += s->decibels[i * BANDS + b];
        mean /= BANDS;
        loudness += mean / n, loudness_square += mean * mean / n;
    }
    *out++ = (double)sounding / n, *out++ = (double)loud / n, *out++ = end, *out++ = level / n;
    *out++ = middle / level / n, *out++ = sqrt(most(loudness_square - loudness * loudness, 0));
    return out;
}

/* `room` holds three numbers for every frame. */
FAST double *describe_rhythm(const struct sound *s, double *room, double *out) {
    long n = s->frames, gap = (long)most(1, rint(0.05 * s->rate)), early = (long)most(1, rint(0.1 * s->rate));
    double strongest = 1e-9, whole = 0, at_first = 0, later = 0, low_later = 0, all_later = 0;
    for (long i = 0; i < n; i++) strongest = most(strongest, s->total[i]), whole += s->total[i];
    double *onset = room, *low = room + n, *copy = room + 2 * n;
    long onsets = 0;
    for (long i = 0; i < n; i++) {
        double it = s->total[i] / strongest;
        int highest = it > 0.15;
        for (long j = i - gap; highest && j <= i + gap; j++)
            if (j >= 0 && j < n && s->total[j] / strongest > it) highest = 0;
        if (highest) onset[onsets++] = i;
        const float *flux = s->flux + i * GROUPS;
        low[i] = 0;
        for (int group = 0; group < 5; group++) low[i] += flux[group];
        if (i < early) at_first += s->total[i];
        else later = most(later, it), low_later += low[i], all_later += s->total[i];
        copy[i] = s->total[i];
    }
    double seconds = n / s->rate, gaps_mean = 0, gaps_square = 0;
    long gaps = onsets > 1 ? onsets - 1 : 0;
    for (long i = 0; i < gaps; i++) {
        onset[i] = (onset[i + 1] - onset[i]) / s->rate;
        gaps_mean += onset[i] / gaps;
    }
    for (long i = 0; i < gaps; i++) gaps_square += (onset[i] - gaps_mean) * (onset[i] - gaps_mean) / gaps;
    qsort(onset, gaps, sizeof *onset, by_size);
    long first = (long)rint(0.12 * s->rate), last = (long)rint(2.0 * s->rate), lag = 0, unused;
    last = last < n * 2 / 3 ? last : n * 2 / 3;
    double lag_octaves = 0, strength = 0, low_strength = 0;
    if (last > first + 2) {
        strength = autocorrelation(copy, n, first, last, &lag);
        low_strength = autocorrelation(low, n, first, last, &unused);
        lag_octaves = log2(lag / s->rate) / 4;
    }
    *out++ = log2(1 + onsets) / 4, *out++ = log2(1 + onsets / most(seconds, 0.1)) / 4;
    *out++ = gaps ? (onset[(gaps - 1) / 2] + onset[gaps / 2]) / 2 : 0;
    *out++ = gaps > 1 ? sqrt(gaps_square) / gaps_mean : 0;
    *out++ = whole > 0 ? at_first / whole : 1, *out++ = later, *out++ = whole / strongest / n;
    *out++ = (low_later + 1e-3) / (all_later + 1e-2);
    *out++ = lag_octaves, *out++ = strength, *out++ = low_strength, *out++ = likeness_of_halves(s);
    *out++ = log2(most(s->duration, 0.02)) / 4, *out++ = log2(most(seconds, 0.02)) / 4;
    return course_of_level(s, out);
}
