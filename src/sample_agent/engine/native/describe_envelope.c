/* How the level rises and falls: 35 numbers, see sound/descriptors/envelope.py. */

#include "describe.h"

/* Peaks of the first 80 ms, the deepest dip between two, roughness: 3 numbers. */
INLINE double *bursts(const float *level, long count, double rate, double *out) {
    long burst = (long)most(8, rint(0.08 * rate)), peaks = 0, last_peak = 0;
    burst = burst < count ? burst : count;
    double highest = 0, rough = 0, deepest = 0;
    for (long i = 0; i < burst; i++) {
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
    return out;
}

/* How much the level moves about its mean over 50 ms, over all and after the first 100 ms: 2 numbers. */
INLINE double *trembling(const float *level, long length, double rate, double *out) {
    long width = (long)rint(0.05 * rate) | 1;
    width = width > 3 ? width : 3;
    double moving = 0, moving_later = 0, window = 0;
    if (length >= 2 * width) {
        for (long i = 0; i < width / 2; i++) window += level[i];
        for (long i = 0; i < length; i++) {
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

/* Of `count` levels, `rate` of them to a second, which are changed. */
FAST double *describe_envelope(float *level, long count, double rate, double *out) {
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
    out = bursts(level, count, rate, out);
    return trembling(level, length, rate, out);
}
