/* Boosted trees over rows of numbers. */

#include "kernel.h"

/* Sums of `trees` trees of `inner` inner nodes each for `count` rows of `columns`; see trees.py for the arrays. */
void sum_of_trees(
    const int16_t *feature, const float *threshold, const float *value, long trees, long inner, const float *rows,
    long count, long columns, double *sums
) {
    memset(sums, 0, count * sizeof *sums);
    for (long tree = 0; tree < trees; tree++, feature += inner, threshold += inner, value += inner + 1)
        for (long row = 0; row < count; row++) {
            const float *numbers = rows + row * columns;
            long node = 0;
            while (node < inner) node = 2 * node + 1 + (numbers[feature[node]] > threshold[node]);
            sums[row] += value[node - inner];
        }
}
