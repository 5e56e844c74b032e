/* Powers told in decibels: the picture of a sound, and averages over its frames. */

#include "kernel.h"

#define DECIBELS_PER_OCTAVE 3.01029996f

/* Levels (bands, frames), the last band first, of the power in rows (frames, bands), a multiple of eight of them: 255 is
 * `highest`, 0 is `range` dB below it. */
FAST void picture_levels(
    const float *rows, long frames, long bands, float highest, float range, uint8_t *levels
) {
    float gain = 1 / (highest > 1e-20f ? highest : 1e-20f), slope = 255 * DECIBELS_PER_OCTAVE / range;
    for (long frame = 0; frame < frames; frame++, rows += bands)
        for (long band = 0; band < bands; band += LANES) {
            lanes level = spread(255) + slope * log2_lanes(load(rows + band) * gain + 1e-12f);
            lane_ints whole = __builtin_convertvector(smaller(larger(level, spread(0)), spread(255)), lane_ints);
            for (int lane = 0; lane < LANES; lane++)
                levels[(bands - 1 - band - lane) * frames + frame] = (uint8_t)whole[lane];
        }
}

/* Adds up frames, each `step` times its weight: `statistics` (frames, columns), of which the last is the weight, then
 * mel bands (frames, bands), a multiple of eight of them, in dB above `floor`. `sums` is (columns + bands); the weight
 * is returned. */
FAST double add_frames(
    const float *statistics, long columns, const float *mel, long bands, long frames, double step, float floor,
    double *sums
) {
    double weights = 0;
    for (long frame = 0; frame < frames; frame++, statistics += columns, mel += bands) {
        double weight = step * statistics[columns - 1];
        weights += weight;
        for (long i = 0; i < columns; i++) sums[i] += weight * statistics[i];
        for (long band = 0; band < bands; band += LANES) {
            lanes level = DECIBELS_PER_OCTAVE * log2_lanes(load(mel + band) + floor);
            for (int lane = 0; lane < LANES; lane++) sums[columns + band + lane] += weight * level[lane];
        }
    }
    return weights;
}
