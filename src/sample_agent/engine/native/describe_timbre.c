/* How the spectrum is shaped and how it moves: 169 numbers, see sound/descriptors/timbre.py. */

#include "describe.h"

static double median(float *values, long count) {
    double upper = ranked(values, count, count / 2);
    return count % 2 ? upper : (ranked(values, count, count / 2 - 1) + upper) / 2;
}

/* Flatness, and how far peaks stand out, in each of seven octaves of the long spectrum: 14 numbers. */
INLINE double *noisiness(const struct sound *s, double *out) {
    enum { OCTAVES = 7 };
    static const double hz[OCTAVES + 1] = {40, 70, 140, 280, 560, 1100, 2200, 4400};
    long edge[OCTAVES + 1];
    double *behind = out + 2 * OCTAVES;
    memset(out, 0, 2 * OCTAVES * sizeof *out);
    for (int i = 0; i <= OCTAVES; i++) {
        edge[i] = (long)(hz[i] / s->width);
        if (i && edge[i] - edge[i - 1] < 3) return behind;
    }
    if (s->bins < edge[OCTAVES]) return behind;
    for (int octave = 0; octave < OCTAVES; octave++) {
        const float *bin = s->spectrum + edge[octave];
        long size = edge[octave + 1] - edge[octave], i;
        float loudest = 0, *logs = s->scratch;
        double mean = 0, log_mean = 0, highest = -1e300;
        for (i = 0; i < size; i++) mean += bin[i], loudest = bin[i] > loudest ? bin[i] : loudest;
        if (!(loudest > 0)) continue;
        /* Relative to the loudest, so that nothing is too small. */
        for (i = 0; i < size; i += LANES) {
            float some[LANES] = {0};
            for (long j = 0; j < LANES && i + j < size; j++) some[j] = bin[i + j] / loudest;
            lanes level = log2_lanes(load(some) + 1e-9f) * 0.69314718f;
            for (long j = 0; j < LANES && i + j < size; j++) {
                logs[i + j] = level[j];
                log_mean += level[j], highest = most(highest, level[j]);
            }
        }
        out[octave] = exp(log_mean / size) * loudest / most(mean / size, 1e-300);
        out[OCTAVES + octave] = least((highest - median(logs, size)) * (10 / log(10.0) / 60), 1.5);
    }
    return behind;
}

/* Levels of the 13 groups of bands in nine stretches after the start, D below the loudest of them: 117 numbers. */
INLINE double *course_of_groups(const struct sound *s, double *out) {
    static const double moments[] = {0, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972};
    double loudest = 0, *course = out;
    for (int moment = 0; moment < 9; moment++) {
        double rows[BANDS];
        mean_between(s->mel, s->frames, BANDS, BANDS, moments[moment] * s->rate, moments[moment + 1] * s->rate, rows);
        for (int group = 0; group < GROUPS; group++, out++) {
            *out = 0;
            for (int b = group_start[group]; b < group_start[group + 1]; b++) *out += rows[b];
            loudest = most(loudest, *out);
        }
    }
    for (; course < out; course++) *course = on_scale(*course / most(loudest, 1e-20));
    return out;
}

/* Middle of the spectrum in four stretches after the start: 4 numbers. */
INLINE double *course_of_centre(const struct sound *s, double *out) {
    static const double early[] = {0, 0.02, 0.05, 0.12, 0.3};
    for (int moment = 0; moment < 4; moment++) {
        double rows[BANDS], all = 0, places = 0;
        mean_between(s->mel, s->frames, BANDS, BANDS, early[moment] * s->rate, early[moment + 1] * s->rate, rows);
        for (int b = 0; b < BANDS; b++) all += rows[b] = sqrt(rows[b]), places += rows[b] * b;
        *out++ = places / most(all, 1e-12) / BANDS;
    }
    return out;
}

FAST double *describe_timbre(const struct sound *s, double *out) {
    static const int third[] = {0, 10, 24, 40};
    double mean[BANDS] = {0}, square[BANDS] = {0}, level[3] = {0}, level_square[3] = {0};
    double change = 0, change_square = 0;
    for (long i = 0; i < s->frames; i++) {
        const float *row = s->decibels + i * BANDS, *power = s->mel + i * BANDS;
        double weight = s->weights[i];
        for (int b = 0; b < BANDS; b++) mean[b] += weight * row[b], square[b] += weight * row[b] * row[b];
        if (i) {
            lanes off = spread(0);
            for (int b = 0; b < BANDS; b += LANES) {
                lanes apart = load(row + b) - load(row + b - BANDS);
                off += larger(apart, -apart);
            }
            double one = sum(off) / BANDS;
            change += one, change_square += one * one;
        }
        float logs[BANDS];
        for (int b = 0; b < BANDS; b += LANES) store(logs + b, log2_lanes(load(power + b) + 1e-20f));
        for (int part = 0; part < 3; part++) {
            double log_mean = 0, all = 0;
            int size = third[part + 1] - third[part];
            for (int b = third[part]; b < third[part + 1]; b++) log_mean += logs[b], all += power[b] + 1e-20f;
            double flat = exp2(log_mean / size) / (all / size);
            level[part] += weight * flat, level_square[part] += weight * flat * flat;
        }
    }
    for (int order = 0; order < 13; order++) {
        double coefficient = 0;
        for (int b = 0; b < BANDS; b++) coefficient += mean[b] * cos(M_PI * order * (b + 0.5) / BANDS);
        *out++ = coefficient * sqrt((order ? 2.0 : 1.0) / BANDS);
    }
    for (int group = 0; group < GROUPS; group++, out++) {
        *out = 0;
        for (int b = group_start[group]; b < group_start[group + 1]; b++)
            *out += sqrt(most(square[b] - mean[b] * mean[b], 0)) / 3;
    }
    out = course_of_groups(s, out);
    for (int part = 0; part < 3; part++) {
        *out++ = level[part];
        *out++ = sqrt(most(level_square[part] - level[part] * level[part], 0));
    }
    out = noisiness(s, out);
    long changes = s->frames > 1 ? s->frames - 1 : 1;
    change /= changes;
    *out++ = 10 * change, *out++ = 10 * sqrt(most(change_square / changes - change * change, 0));
    return course_of_centre(s, out);
}
