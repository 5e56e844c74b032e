/* Where the energy lies: 59 numbers, see sound/descriptors/spectrum.py. */

#include "describe.h"

/* Mean and spread of the middles of frames, in bands: each middle counts by its frame's amplitude. */
INLINE void middles_of_frames(const struct sound *s, double *mean, double *apart) {
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
    *mean = middle, *apart = sqrt(square);
}

FAST double *describe_spectrum(const struct sound *s, double *out) {
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
    double middle, apart;
    middles_of_frames(s, &middle, &apart);
    for (int b = 0; b < BANDS; b++) *out++ = on_scale(mean[b] / loudest);
    *out++ = centre / BANDS, *out++ = spread_of / BANDS, *out++ = skew;
    *out++ = apart / BANDS, *out++ = middle / BANDS;
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
