/* What the kernel's files share: vectors of eight lanes, and the functions that one file has for another.
 *
 * Eight frames (or eight neighbouring samples) are worked on at once, one in each lane of a vector, so that no step
 * needs its lanes shuffled. Vectors are the extension that GCC and Clang have in common; other compilers are not
 * supported, and the engine goes on in NumPy there. Compiled without -ffast-math: sums keep the order written here. */

#ifndef SAMPLE_AGENT_KERNEL_H
#define SAMPLE_AGENT_KERNEL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

#define LANES 8
typedef float lanes __attribute__((vector_size(32)));
typedef int32_t lane_ints __attribute__((vector_size(32)));

/* With CLONES, functions exist twice, for processors with AVX2 and for all; the loader of programs picks one. Both give
 * the same bits: AVX2 without fused multiplication does the same sums, more of them at once. */
#ifdef CLONES
#define FAST __attribute__((target_clones("avx2","default")))
#else
#define FAST
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE lanes spread(float value) {
    return (lanes){value, value, value, value, value, value, value, value};
}

INLINE lanes load(const float *from) {
    lanes loaded;
    memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

INLINE void store(float *to, lanes value) { memcpy(to, &value, sizeof value); }

/* Bits of `yes` where the mask is set, of `no` elsewhere. */
INLINE lanes pick(lane_ints mask, lanes yes, lanes no) {
    return (lanes)((mask & (lane_ints)yes) | (~mask & (lane_ints)no));
}

INLINE lanes smaller(lanes a, lanes b) { return pick(a < b, a, b); }
INLINE lanes larger(lanes a, lanes b) { return pick(a > b, a, b); }

INLINE lanes root(lanes value) {
    lanes result;
    for (int lane = 0; lane < LANES; lane++) result[lane] = sqrtf(value[lane]);
    return result;
}

INLINE float sum(lanes value) {
    return ((value[0] + value[4]) + (value[1] + value[5])) + ((value[2] + value[6]) + (value[3] + value[7]));
}

INLINE double most(double a, double b) { return a > b ? a : b; }
INLINE double least(double a, double b) { return a < b ? a : b; }

/* Logarithm to base 2 of positive normal numbers, to within rounding. */
INLINE lanes log2_lanes(lanes x) {
    lane_ints bits = (lane_ints)x, exponent = ((bits - 0x3f3504f3) >> 23);
    lanes m = (lanes)(bits - (exponent << 23));
    lanes t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
    lanes series = t * (2.88539008f + t2 * (0.96179669f + t2 * (0.57707802f + t2 * (0.41219859f + t2 * 0.32059890f))));
    return __builtin_convertvector(exponent, lanes) + series;
}

/* The curve between its points, its ends beyond them. */
INLINE double between(const double *curve, long points, double at) {
    if (at <= 0) return curve[0];
    if (at >= points - 1) return curve[points - 1];
    long low = (long)at;
    return curve[low] + (at - low) * (curve[low + 1] - curve[low]);
}

/* Tables for the transform of real frames of one size. */
struct transform {
    long size;      /* samples in a frame: a power of two, at least 8 */
    float *window;  /* (size,) scaled Hann window */
    float *turns;   /* for each step of the complex transform, cosine and sine of its three factors */
    float *halves;  /* (size / 2 + 1, 2): factors that take the complex transform apart */
};

/* Bytes of the room that `transform_lanes` works in: two planes of size / 2 pairs of vectors. */
size_t transform_room(const struct transform *tables);

#endif
