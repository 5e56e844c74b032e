/* What was trained, asked: boosted trees over rows of numbers, and nets of one hidden layer. */

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

/* Several nets of `inputs` numbers, `width` hidden units and `outputs` answers each, side by side; see nets.py for the
 * arrays. `answers` is (nets, outputs). -1 when there is no memory. */
FAST int ask_nets(
    const float *numbers, const float *mean, const float *scale, const float *hidden, const float *hidden_bias,
    const float *output, const float *output_bias, long inputs, long nets, long width, long outputs, float *answers
) {
    long units = nets * width;
    float *unit = malloc(units * sizeof(float));
    if (!unit) return -1;
    memcpy(unit, hidden_bias, units * sizeof(float));
    for (long i = 0; i < inputs; i++, hidden += units) {
        float standard = (numbers[i] - mean[i]) / scale[i];
        standard = standard < -5 ? -5 : standard > 5 ? 5 : standard;
        for (long j = 0; j < units; j++) unit[j] += standard * hidden[j];
    }
    memcpy(answers, output_bias, nets * outputs * sizeof(float));
    for (long j = 0; j < units; j++, output += outputs) {
        float *answer = answers + j / width * outputs;
        if (unit[j] > 0)
            for (long k = 0; k < outputs; k++) answer[k] += unit[j] * output[k];
    }
    return free(unit), 0;
}

/* What each net's answers (nets, outputs) make likely, each net's together 1, in the mean of the nets: (outputs,). */
void mean_likelihoods(const float *answers, long nets, long outputs, float *likely) {
    memset(likely, 0, outputs * sizeof(float));
    for (long net = 0; net < nets; net++, answers += outputs) {
        float highest = answers[0], total = 0;
        for (long i = 1; i < outputs; i++) highest = answers[i] > highest ? answers[i] : highest;
        for (long i = 0; i < outputs; i++) total += expf(answers[i] - highest);
        for (long i = 0; i < outputs; i++) likely[i] += expf(answers[i] - highest) / total / nets;
    }
}
