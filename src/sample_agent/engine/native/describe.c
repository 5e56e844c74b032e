/* What a sound is like in a fixed row of numbers: the parts that descriptors.py and looping.py describe, in their order.
 *
 * Frames are rows of 40 mel bands; D stands for decibels from 0 (60 dB down) to 1. Sums run in double precision. */

#include "kernel.h"

#define BANDS 40
#define GROUPS 13
#define PITCHES 252 /* thirds of a semitone, seven octaves */
#define OVERTONES 8

static const int group_start[GROUPS + 1] = {0, 2, 4, 6, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40};

INLINE double on_scale(double power) { return 10 * log10(power + 1e-6) / 60 + 1; }

/* First and last row of each stretch between two moments: stretches are at least one row long. */
INLINE void stretch_of(double from, double to, long *start, long *stop) {
    *start = (long)rint(from), *stop = (long)rint(to);
    if (*stop <= *start) *stop = *start + 1;
}

/* Mean of rows between two moments, missing ones being zero, of `columns` columns from `values` (rows, width). */
INLINE void mean_between(
    const float *values, long rows, long width, long columns, double from, double to, double *mean
) {
    long start, stop;
    stretch_of(from, to, &start, &stop);
    for (long column = 0; column < columns; column++) mean[column] = 0;
    for (long row = start; row < stop && row < rows; row++)
        for (long column = 0; column < columns; column++) mean[column] += values[row * width + column];
    for (long column = 0; column < columns; column++) mean[column] /= stop - start;
}

/* The k-th smallest of some numbers, which are put out of order. */
static float ranked(float *values, long count, long k) {
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

static double median(float *values, long count) {
    double upper = ranked(values, count, count / 2);
    return count % 2 ? upper : (ranked(values, count, count / 2 - 1) + upper) / 2;
}

/* Everything that the parts read. */
struct sound {
    long frames;             /* of the sound itself */
    double rate, duration;   /* frames per second; seconds of the whole clip */
    const float *mel;        /* (frames, BANDS) */
    float *decibels;         /* (frames, BANDS) D of the mel bands below the loudest */
    float *flux;             /* (frames, GROUPS) rise of D in groups of bands */
    double *weights;         /* (frames,) amplitude, together 1 */
    double *total;           /* (frames,) flux of all groups */
    long bins;               /* of the long spectrum */
    double width;            /* of a bin in Hz */
    const float *spectrum;   /* (bins,) long spectrum */
    const double *sums;      /* (bins,) its running sum */
    float *scratch;          /* room for frames or bins, whichever are more */
};

/* ---- spectrum: 59 numbers ---- */

INLINE double *spectrum_part(const struct sound *s, double *out) {
    static const double shares[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    static const double low_hz[] = {25, 45, 60, 80, 105, 140, 190, 260, 400, 600};
    double mean[BANDS] = {0}, amplitude[BANDS], whole = 0, loudest = 0, all = 0;
    for (long i = 0; i < s->frames; i++)
        for (int b = 0; b < BANDS; b++) mean[b] += s->mel[i * BANDS + b];
    for (int b = 0; b < BANDS; b++) {
        mean[b] /= s->frames;
        whole += mean[b], loudest = most(loudest, mean[b]);
        all += amplitude[b] = sqrt(mean[b]);
    }
    double centre = 0, spread_of = 0, skew = 0;
    for (int b = 0; b < BANDS; b++) centre += (amplitude[b] /= all) * b;
    for (int b = 0; b < BANDS; b++) {
        double off = b - centre;
        spread_of += amplitude[b] * off * off, skew += amplitude[b] * off * off * off;
    }
    spread_of = sqrt(spread_of);
    double narrow = most(spread_of, 0.1);
    skew /= narrow * narrow * narrow;
    double middle = 0, square = 0;
    for (long i = 0; i < s->frames; i++) {
        lanes roots = spread(0), places = spread(0), place = {0, 1, 2, 3, 4, 5, 6, 7};
        for (int b = 0; b < BANDS; b += LANES, place += 8.0f) {
            lanes one = root(load(s->mel + i * BANDS + b));
            roots += one, places += one * place;
        }
        s->scratch[i] = (float)(sum(places) / most(sum(roots), 1e-12));
        middle += s->weights[i] * s->scratch[i];
    }
    for (long i = 0; i < s->frames; i++) {
        double off = s->scratch[i] - middle;
        square += s->weights[i] * off * off;
    }
    for (int b = 0; b < BANDS; b++) *out++ = on_scale(mean[b] / loudest);
    *out++ = centre / BANDS, *out++ = spread_of / BANDS, *out++ = skew;
    *out++ = sqrt(square) / BANDS, *out++ = middle / BANDS;
    for (int share = 0; share < 5; share++) {
        double running = 0;
        int band = 0;
        for (; band < BANDS; band++)
            if ((running += mean[band]) / whole >= shares[share]) break;
        *out++ = (double)band / BANDS;
    }
    double before = between(s->sums, s->bins, low_hz[0] / s->width - 0.5);
    for (int i = 1; i < 10; i++) {
        double behind = between(s->sums, s->bins, low_hz[i] / s->width - 0.5);
        *out++ = on_scale(most(behind - before, 0) / most(s->sums[s->bins - 1], 1e-20));
        before = behind;
    }
    return out;
}

/* ---- timbre: 169 numbers ---- */

INLINE void noisiness(const struct sound *s, double *out) {
    enum { OCTAVES = 7 };
    static const double hz[OCTAVES + 1] = {40, 70, 140, 280, 560, 1100, 2200, 4400};
    long edge[OCTAVES + 1];
    memset(out, 0, 2 * OCTAVES * sizeof *out);
    for (int i = 0; i <= OCTAVES; i++) {
        edge[i] = (long)(hz[i] / s->width);
        if (i && edge[i] - edge[i - 1] < 3) return;
    }
    if (s->bins < edge[OCTAVES]) return;
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
}

INLINE double *timbre_part(const struct sound *s, double *out) {
    static const double moments[] = {0, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972};
    static const double early[] = {0, 0.02, 0.05, 0.12, 0.3};
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
    for (int part = 0; part < 3; part++) {
        *out++ = level[part];
        *out++ = sqrt(most(level_square[part] - level[part] * level[part], 0));
    }
    noisiness(s, out);
    out += 14;
    long changes = s->frames > 1 ? s->frames - 1 : 1;
    change /= changes;
    *out++ = 10 * change, *out++ = 10 * sqrt(most(change_square / changes - change * change, 0));
    for (int moment = 0; moment < 4; moment++) {
        double rows[BANDS], all = 0, places = 0;
        mean_between(s->mel, s->frames, BANDS, BANDS, early[moment] * s->rate, early[moment + 1] * s->rate, rows);
        for (int b = 0; b < BANDS; b++) all += rows[b] = sqrt(rows[b]), places += rows[b] * b;
        *out++ = places / most(all, 1e-12) / BANDS;
    }
    return out;
}

/* ---- tonality: 37 numbers ---- */

INLINE double *tonality_part(const struct sound *s, double *out) {
    static const double moments[] = {0, 0.012, 0.03, 0.06, 0.12, 0.25, 0.6};
    double amplitude[PITCHES], peaks[PITCHES] = {0}, left[PITCHES], loudest = 0, energy = 0, in_peaks = 0;
    double before = between(s->sums, s->bins, 32.703 * exp2(-0.5 / 36) / s->width - 0.5);
    for (int i = 0; i < PITCHES; i++) {
        double behind = between(s->sums, s->bins, 32.703 * exp2((i + 0.5) / 36) / s->width - 0.5);
        amplitude[i] = sqrt(most(behind - before, 0));
        loudest = most(loudest, amplitude[i]);
        before = behind;
    }
    for (int i = 0; i < PITCHES; i++) {
        amplitude[i] /= most(loudest, 1e-12);
        left[i] = amplitude[i];
        energy += amplitude[i] * amplitude[i];
    }
    int above_tenth = 0, above_little = 0;
    for (int i = 1; i < PITCHES - 1; i++) {
        double around = 0, it = amplitude[i];
        if (it < amplitude[i - 1] || it < amplitude[i + 1]) continue;
        for (int j = i - 6; j <= i + 6; j++)
            if (j >= 0 && j < PITCHES) around += amplitude[j];
        if (it > 1.8 * around / 13) {
            peaks[i] = it;
            in_peaks += it * it;
            above_tenth += it > 0.1, above_little += it > 0.03;
        }
    }
    energy = most(energy, 1e-12);
    int step[OVERTONES], note[4];
    double level[OVERTONES], strength[4], strongest = 0;
    for (int h = 0; h < OVERTONES; h++) {
        step[h] = (int)rint(36 * log2(h + 1.0));
        level[h] = h ? level[h - 1] * 0.8 : 1;
    }
    for (int round = 0; round < 4; round++) {
        double best = -1;
        for (int i = 0; i < PITCHES; i++) {
            double salience = 0;
            for (int h = 0; h < OVERTONES && i + step[h] < PITCHES; h++) salience += left[i + step[h]] * level[h];
            if (salience > best) best = salience, note[round] = i;
        }
        strongest = most(strongest, best);
        strength[round] = best / most(strongest, 1e-12);
        for (int h = 0; h < OVERTONES; h++)
            for (int place = note[round] + step[h] - 1; place <= note[round] + step[h] + 1; place++)
                if (place >= 0 && place < PITCHES) left[place] = 0;
    }
    double chroma[12] = {0}, all = 0, entropy = 0, fullest = 0, remains = 0;
    for (int i = 0; i < PITCHES; i++) {
        chroma[i / 3 % 12] += peaks[i] * peaks[i], all += peaks[i] * peaks[i];
        remains += left[i] * left[i];
    }
    for (int i = 0; i < 12; i++) {
        chroma[i] /= most(all, 1e-12);
        entropy -= chroma[i] * log(chroma[i] + 1e-9);
        fullest = most(fullest, chroma[i]);
    }
    double first = note[0] / 36.0;
    *out++ = in_peaks / energy, *out++ = strongest, *out++ = first / 7;
    *out++ = entropy / log(12.0), *out++ = fullest, *out++ = remains / energy;
    for (int round = 1; round < 4; round++) *out++ = strength[round];
    for (int round = 1; round < 4; round++) {
        double semitones = fmod((note[round] / 36.0 - first) * 12, 12);
        *out++ = (semitones < 0 ? semitones + 12 : semitones) / 12;
    }
    for (int interval = 1; interval <= 6; interval++, out++) {
        *out = 0;
        for (int i = 0; i < 12; i++) *out += chroma[(i + 12 - interval) % 12] * chroma[i];
    }
    for (int moment = 0; moment < 6; moment++) {
        double low[10], whole = 0, places = 0;
        mean_between(s->mel, s->frames, BANDS, 10, moments[moment] * s->rate, moments[moment + 1] * s->rate, low);
        for (int b = 0; b < 10; b++) whole += low[b] = sqrt(low[b]), places += low[b] * b;
        *out++ = places / most(whole, 1e-12) / 10;
    }
    *out++ = above_tenth / 20.0, *out++ = above_little / 40.0;
    for (int part = 0; part < 6; part++, out++) {
        *out = 0;
        for (int i = 42 * part; i < 42 * part + 42; i++) *out += amplitude[i] * amplitude[i] / energy;
    }
    int root_note = (int)(first * 36);
    for (int h = 0; h < 5; h++) {
        int place = root_note + step[h];
        *out++ = amplitude[place < PITCHES ? place : PITCHES - 1];
    }
    return out;
}

/* ---- rhythm: 20 numbers ---- */

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

INLINE double *rhythm_part(const struct sound *s, double *out, double *room) {
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
    double alike = 0;
    long half = n / 2;
    if (half > 8) {
        double product = 0, one = 0, other = 0;
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
        alike = scale > 1e-9 ? product / scale : 0;
    }
    long first = (long)rint(0.12 * s->rate), last = (long)rint(2.0 * s->rate), lag = 0, unused;
    last = last < n * 2 / 3 ? last : n * 2 / 3;
    double lag_octaves = 0, strength = 0, low_strength = 0;
    if (last > first + 2) {
        strength = autocorrelation(copy, n, first, last, &lag);
        low_strength = autocorrelation(low, n, first, last, &unused);
        lag_octaves = log2(lag / s->rate) / 4;
    }
    double loudest = 0, level = 0, middle = 0, end = 0, loudness = 0, loudness_square = 0;
    long sounding = 0, loud = 0, tenth = n / 10 > 1 ? n / 10 : 1;
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
    *out++ = log2(1 + onsets) / 4, *out++ = log2(1 + onsets / most(seconds, 0.1)) / 4;
    *out++ = gaps ? (onset[(gaps - 1) / 2] + onset[gaps / 2]) / 2 : 0;
    *out++ = gaps > 1 ? sqrt(gaps_square) / gaps_mean : 0;
    *out++ = whole > 0 ? at_first / whole : 1, *out++ = later, *out++ = whole / strongest / n;
    *out++ = (low_later + 1e-3) / (all_later + 1e-2);
    *out++ = lag_octaves, *out++ = strength, *out++ = low_strength, *out++ = alike;
    *out++ = log2(most(s->duration, 0.02)) / 4, *out++ = log2(most(seconds, 0.02)) / 4;
    *out++ = (double)sounding / n, *out++ = (double)loud / n, *out++ = end, *out++ = level / n;
    *out++ = middle / level / n, *out++ = sqrt(most(loudness_square - loudness * loudness, 0));
    return out;
}

/* ---- envelope: 35 numbers, of levels `rate` times a second; `level` is changed ---- */

INLINE double *envelope_part(float *level, long count, double rate, double *out) {
    static const double moments[] =
        {0, 0.003, 0.006, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972, 5.944};
    static const double falls[] = {6, 12, 20, 30, 40};
    double loudest = 1e-12;
    long i, peak = 0, length = 0;
    for (i = 0; i < count; i++) loudest = most(loudest, level[i]);
    for (i = 0; i < count; i++) level[i] = (float)(level[i] / loudest);
    for (i = 0; i < count && !(level[i] > 0.05); i++) {}
    if (i < count) level += i, count -= i;
    double total = 0, centre = 0, square = 0;
    for (i = 0; i < count; i++) {
        if (level[i] > level[peak]) peak = i;
        if (level[i] > 0.01) length = i + 1;
        total += level[i], centre += (double)i * level[i];
    }
    centre /= most(total, 1e-12);
    for (i = 0; i < length; i++) square += (double)level[i] * level[i] / length;
    *out++ = log2(1 + 200 * peak / rate) / 8, *out++ = log2(1 + 100 * centre / rate) / 8;
    for (int fall = 0; fall < 5; fall++) {
        double to = pow(10, -falls[fall] / 20);
        for (i = count - 1; i > peak && !(level[i] > to); i--) {}
        *out++ = log2(1 + 100 * (i - peak) / rate) / 8;
    }
    for (int part = 0; part < 12 + 8; part++) {
        long start, stop, rows = part < 12 ? count : length;
        if (part < 12) stretch_of(moments[part] * rate, moments[part + 1] * rate, &start, &stop);
        else stretch_of((part - 12) * length / 8.0, (part - 11) * length / 8.0, &start, &stop);
        double power = 0;
        for (i = start; i < stop && i < rows; i++) power += (double)level[i] * level[i];
        *out++ = on_scale(power / (stop - start));
    }
    *out++ = centre / most(length, 1), *out++ = sqrt(square), *out++ = log2(1 + 100 * length / rate) / 8;
    /* Bursts: peaks of the first 80 ms, the deepest dip between two, roughness. */
    long burst = (long)most(8, rint(0.08 * rate)), peaks = 0, last_peak = 0;
    burst = burst < count ? burst : count;
    double highest = 0, rough = 0, deepest = 0;
    for (i = 0; i < burst; i++) {
        highest = most(highest, level[i]);
        if (i) rough += fabs((double)level[i] - level[i - 1]);
        if (i && i + 1 < burst && level[i] > level[i - 1] && level[i] >= level[i + 1] && level[i] > 0.25) {
            if (peaks++) {
                double lowest = level[last_peak];
                for (long j = last_peak; j < i; j++) lowest = least(lowest, level[j]);
                deepest = most(deepest, 1 - lowest / least(level[last_peak], level[i]));
            }
            last_peak = i;
        }
    }
    *out++ = peaks / 5.0, *out++ = deepest, *out++ = rough / most(highest * 2, 1e-9) / 3;
    /* Trembling about the mean of 50 ms. */
    long width = (long)rint(0.05 * rate) | 1;
    width = width > 3 ? width : 3;
    double moving = 0, moving_later = 0, window = 0;
    if (length >= 2 * width) {
        for (i = 0; i < width / 2; i++) window += level[i];
        for (i = 0; i < length; i++) {
            if (i + width / 2 < length) window += level[i + width / 2];
            double smooth = window / width, off = fabs(level[i] - smooth) / most(smooth, 0.02);
            if (i - width / 2 >= 0) window -= level[i - width / 2];
            moving += off;
            if (i >= 2 * width) moving_later += off;
        }
        moving /= length;
        moving_later = length > 3 * width ? moving_later / (length - 2 * width) : 0;
    }
    *out++ = moving, *out++ = moving_later;
    return out;
}

/* ---- looping: the first 7 of 12 numbers ---- */

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

INLINE int looping_part(
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

/* ---- all of it ---- */

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

    mel += start * BANDS;
    float loudest = 0;
    double whole = 0;
    for (long i = 0; i < n * BANDS; i++) loudest = mel[i] > loudest ? mel[i] : loudest;
    memset(pulses, 0, count * sizeof *pulses);
    for (long i = 0; i < n; i++) {
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
        pulses[start + i] = total[i];
        whole += weights[i] = sqrt(energy[start + i]);
    }
    for (long i = 0; i < n; i++) weights[i] /= whole;
    for (long i = 0; i < levels; i++) level[i] = sqrtf(cells[2 * i] + cells[2 * i + 1]);

    struct sound sound = {n, rate, duration, mel, decibels, flux, weights, total, used, width, spectrum, sums, scratch};
    out = spectrum_part(&sound, out);
    out = timbre_part(&sound, out);
    out = tonality_part(&sound, out);
    out = rhythm_part(&sound, out, more);
    out = envelope_part(level, levels, level_rate, out);
    int status = looping_part(energy, count, rate, tonal, frames, bins, edges, out);
    return free(room), status;
}
