/* What the files of the descriptors share: a sound as every part reads it, and how parts measure.
 *
 * Frames are rows of 40 mel bands; D stands for decibels from 0 (60 dB down) to 1. Sums run in double precision. Each
 * part writes its numbers at `out`, in the order of the Python file of the same name, and returns where the next
 * begins. */

#ifndef SAMPLE_AGENT_DESCRIBE_H
#define SAMPLE_AGENT_DESCRIBE_H

#include "kernel.h"

#define BANDS 40
#define GROUPS 13

static const int group_start[GROUPS + 1] = {0, 2, 4, 6, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40};

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

double *describe_spectrum(const struct sound *s, double *out);
double *describe_timbre(const struct sound *s, double *out);
double *describe_tonality(const struct sound *s, double *out);
double *describe_rhythm(const struct sound *s, double *room, double *out);
double *describe_envelope(float *level, long count, double rate, double *out);
int describe_looping(
    const double *energy, long count, double rate, const float *power, long frames, long bins, const int32_t *edges,
    double *out
);

/* The k-th smallest of some numbers, which are put out of order. */
float ranked(float *values, long count, long k);

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

#endif
