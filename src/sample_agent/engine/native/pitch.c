/* Peaks of curves and spectra: what pitch.py and tuning.py look for. */

#include "kernel.h"

/* Indices of the maxima above a tenth behind the first value that is not above 0; returns how many. */
INLINE long peaks_behind_fall(const double *curve, long count, int64_t *peaks) {
    long found = 0, i = 0;
    while (i < count && curve[i] > 0) i++;
    for (i++; i + 1 < count; i++)
        if (curve[i] > curve[i - 1] && curve[i] >= curve[i + 1] && curve[i] > 0.1) peaks[found++] = i;
    return found;
}

/* Indices of the highest maxima inside a curve, highest first, at most `room`; returns how many. */
INLINE long highest_maxima(const float *curve, long count, long room, int64_t *tops) {
    long found = 0;
    for (long i = 1; i + 1 < count; i++) {
        if (!(curve[i] > curve[i - 1]) || !(curve[i] >= curve[i + 1])) continue;
        if (found == room && !(curve[i] > curve[tops[room - 1]])) continue;
        long place = found < room ? found++ : room - 1;
        for (; place > 0 && curve[i] > curve[tops[place - 1]]; place--) tops[place] = tops[place - 1];
        tops[place] = i;
    }
    return found;
}

/* ---- what a note may be ---- */

enum { MOST_REPEATING = 9, MOST_PARTIALS = 3, MULTIPLES = 48, FEATURES = 16 };

struct candidate {
    double frequency, height;
    long place; /* among the lags */
    int partial;
};

/* Candidates for the note of a sound, of the curves that `pitch_curves` gives, as pitch.py describes them: `frequency`,
 * `features` (count, 16), and `about` (3,) all of them. There is room for twelve; returns how many there are. Lag 0 of
 * the curves is one of one sample; `width` is that of a bin in Hz. -1 when there is no memory. */
FAST long pitch_candidates(
    const double *alike, long windows, const double *mean, long lags, const float *amplitude, const float *highest,
    long bins, double sample_rate, double width, float *frequency, float *features, float *about
) {
    const double lowest_hz = 23, highest_hz = 4500, same_octaves = 0.15 / 12;
    struct candidate candidate[MOST_REPEATING + MOST_PARTIALS];
    long count = 0, inside = 0, repeating;
    int64_t *peaks = malloc(lags * sizeof *peaks), tops[MOST_PARTIALS];
    if (!peaks) return -1;
    long found = peaks_behind_fall(mean, lags, peaks), leading[4], leaders = 0, high = 0, first = -1;
    double best = -1e300;
    for (int turn = 0; turn < 2; turn++)
        for (long i = 0; i < found; i++) {
            double before = mean[peaks[i] - 1], at = mean[peaks[i]], after = mean[peaks[i] + 1];
            double offset = 0.5 * (before - after) / least(before - 2 * at + after, -1e-12);
            double height = at - 0.25 * (before - after) * offset;
            if (turn == 0) {
                best = most(best, height);
                /* The four highest, the earlier of equals first. */
                long place = leaders < 4 ? leaders++ : 4;
                for (; place > 0; place--) {
                    double b = mean[peaks[leading[place - 1]] - 1], a = mean[peaks[leading[place - 1]]];
                    double c = mean[peaks[leading[place - 1]] + 1];
                    double o = 0.5 * (b - c) / least(b - 2 * a + c, -1e-12);
                    if (!(height > a - 0.25 * (b - c) * o)) break;
                    if (place < 4) leading[place] = leading[place - 1];
                }
                if (place < 4) leading[place] = i;
                continue;
            }
            int chosen = 0;
            if (first < 0 && height >= 0.9 * best) first = i, chosen = 1;
            if (height > 0.4 * best && high < 4) high++, chosen = 1;
            for (long j = 0; j < leaders; j++) chosen |= leading[j] == i;
            if (chosen) {
                double hz = sample_rate / (peaks[i] + 1 + offset);
                candidate[count++] = (struct candidate){hz, height, (long)peaks[i], 0};
            }
        }
    repeating = count;
    long audible = (long)(highest_hz / width) < bins ? (long)(highest_hz / width) : bins;
    long partials = found ? highest_maxima(amplitude, audible, MOST_PARTIALS, tops) : 0;
    free(peaks);
    for (long i = 0; i < partials; i++) {
        float before = logf(amplitude[tops[i] - 1] + 1e-12f), at = logf(amplitude[tops[i]] + 1e-12f);
        float after = logf(amplitude[tops[i] + 1] + 1e-12f);
        double offset = 0.5 * (before - after) / least(before - 2 * at + after, -1e-12);
        double hz = (tops[i] + most(-0.5, least(offset, 0.5))) * width;
        int apart = hz > lowest_hz;
        for (long j = 0; j < repeating; j++) apart &= fabs(log2(hz / candidate[j].frequency)) > same_octaves;
        if (!apart) continue;
        long lag = (long)most(0, least(rint(sample_rate / hz) - 1, lags - 1));
        candidate[count++] = (struct candidate){hz, mean[lag], lag, 1};
    }
    for (long i = 0; i < count; i++)
        if (candidate[i].frequency > lowest_hz && candidate[i].frequency < highest_hz) candidate[inside++] = candidate[i];
    double whole = 0, loudest = 1e-12;
    best = -1e300;
    for (long k = 0; k < bins; k++) whole += (double)amplitude[k] * amplitude[k], loudest = most(loudest, amplitude[k]);
    whole = most(sqrt(whole), 1e-12);
    for (long i = 0; i < inside; i++) best = most(best, candidate[i].height);
    about[0] = (float)best, about[1] = -1e30f, about[2] = -1e30f;
    int leader = 0;
    for (long i = 0; i < inside; i++, features += FEATURES) {
        static const double below[4] = {0, 1 / 2.0, 1 / 3.0, 2 / 3.0};
        struct candidate it = candidate[i];
        double amount[8] = {0}, level[MULTIPLES], steady = 1e300;
        for (long w = 0; w < windows; w++) steady = least(steady, alike[w * lags + it.place]);
        for (int j = 0; j < MULTIPLES; j++) {
            int harmonic = j % 12;
            double place = rint(it.frequency * ((harmonic + 1 - below[j / 12]) / width));
            level[j] = highest[place < bins - 1 ? (long)place : bins - 1];
            double power = level[j] * level[j];
            if (j < 12) {
                amount[0] += power;
                amount[1 + harmonic % 2] += power;
                if (harmonic % 3 != 2) amount[3] += power;
                amount[7] = most(amount[7], level[j]);
            } else
                amount[j < 24 ? 4 : 5] += power;
        }
        for (int j = 0; j < 6; j++) amount[j] = sqrt(amount[j]) / whole;
        amount[6] = level[0] / loudest, amount[7] /= loudest;
        about[1] = (float)most(about[1], steady), about[2] = (float)most(about[2], amount[0]);
        double logs[8], octaves = log2(it.frequency / 220.0);
        for (int j = 0; j < 8; j++) logs[j] = log(amount[j] + 0.01);
        int leads = !leader && it.height >= 0.9 * best;
        leader |= leads;
        const double row[FEATURES] = {
            it.height, it.height / best, steady, leads, amount[0], logs[1] - logs[2], logs[3] - logs[0],
            logs[6] - logs[7], logs[4] - logs[0], logs[5] - logs[0], octaves / 2, octaves * octaves / 8, amount[6],
            level[1] / loudest, level[12] / loudest, it.partial,
        };
        for (int j = 0; j < FEATURES; j++) features[j] = (float)row[j];
        frequency[i] = (float)it.frequency;
    }
    return inside;
}

/* ---- tones ---- */

/* Peaks of long frames (frames, bins) that stand out from their surroundings, as tuning.py describes them, among the
 * columns from `first` on, in blocks of eight. For each: `frame`, `octaves` above A4 and `weight`, at most `room` in
 * all; bins are `width` times A4's frequency apart. `energies` gets that of everything and that of the peaks. Returns
 * how many; -1 when there is no memory. */
FAST long find_tones_in(
    const float *power, long frames, long bins, long first, long blocks, double width, float prominence, long room,
    int64_t *frame, float *octaves, float *weight, double *energies
) {
    const float tiny = 1e-12f;
    long columns = blocks * LANES, found = 0;
    float *magnitude = malloc((columns + blocks) * sizeof(float));
    if (!magnitude) return -1;
    float *mean = magnitude + columns;
    energies[0] = energies[1] = 0;
    for (long i = 0; i < frames; i++, power += bins) {
        lanes all = spread(0);
        long k = 0, begun = found;
        for (; k + LANES <= bins; k += LANES) all += load(power + k);
        energies[0] += sum(all);
        for (; k < bins; k++) energies[0] += power[k];
        for (long block = 0; block < blocks; block++) {
            lanes roots = root(load(power + first + block * LANES));
            store(magnitude + block * LANES, roots);
            mean[block] = sum(roots) * (prominence / (3 * LANES));
        }
        double squares = tiny;
        for (long block = 1; block + 1 < blocks; block++) {
            float around = mean[block - 1] + mean[block] + mean[block + 1];
            for (long at = block * LANES; at < (block + 1) * LANES; at++) {
                float peak = magnitude[at];
                if (!(peak > around) || peak < magnitude[at - 1] || peak < magnitude[at + 1] || found == room) continue;
                double before = logf(magnitude[at - 1] + tiny), here = logf(peak + tiny);
                double after = logf(magnitude[at + 1] + tiny);
                double offset = 0.5 * (before - after) / least(before - 2 * here + after, -(double)tiny);
                offset = most(-0.5, least(offset, 0.5));
                frame[found] = i;
                octaves[found] = (float)log2((first + at + offset) * width);
                weight[found] = expf(0.6f * (float)here - (float)(0.3 * M_LN2) * octaves[found]);
                squares += weight[found];
                energies[1] += (double)peak * peak;
                found++;
            }
        }
        /* A loud moment does not outvote the rest. */
        float share = (float)(1 / sqrt(squares));
        for (long one = begun; one < found; one++) weight[one] *= share;
    }
    return free(magnitude), found;
}

/* How much of each pitch class there is in segments of two frames, by register; see pitch_classes.py. Tones come frame
 * by frame and from low to high. `classes` (segments, REGISTERS, 12) gets the segments that sound, whose number is
 * returned; -1 when there is no memory. */
FAST long sort_into_classes(
    const int64_t *frame, const float *pitch, const float *weight, long tones, float tuning, long segments,
    float *classes
) {
    enum { REGISTERS = 4, CLASSES = 12, NUMBERS = REGISTERS * CLASSES };
    double *sums = calloc(segments * (NUMBERS + 1), sizeof(double)), *fullness = sums + segments * NUMBERS;
    if (!sums) return -1;
    for (long first = 0, end; first < tones; first = end) {
        float strongest = 0;
        double total = 0;
        for (end = first; end < tones && frame[end] == frame[first]; end++)
            strongest = weight[end] > strongest ? weight[end] : strongest, total += weight[end];
        double *segment = sums + frame[first] / 2 * NUMBERS;
        int bass = 0;
        for (long i = first; i < end; i++) {
            float at = pitch[i] - tuning, semitone = rintf(at), near = cosf((float)M_PI * (at - semitone));
            long class = ((long)semitone % CLASSES + CLASSES) % CLASSES;
            float amount = weight[i] * (near * near);
            segment[((at > 60) + (at > 77)) * CLASSES + class] += amount;
            fullness[frame[i] / 2] += amount;
            if (!bass && weight[i] > 0.4f * strongest && at < 68)
                segment[(REGISTERS - 1) * CLASSES + class] += total, bass = 1;
        }
    }
    double fullest = 0, together = 0;
    long sounding = 0;
    for (long i = 0; i < segments; i++) fullest = most(fullest, fullness[i]);
    for (long i = 0; i < segments; i++)
        if (fullness[i] > 0.05 * fullest) sounding++, together += fullness[i];
    double gain = sounding ? most(together / sounding, 1e-9) : 1;
    for (long i = 0; i < segments; i++)
        if (fullness[i] > 0.05 * fullest)
            for (long j = 0; j < NUMBERS; j++) *classes++ = (float)(sums[i * NUMBERS + j] / gain);
    return free(sums), sounding;
}

/* How likely each candidate is the note, and last how likely there is none; see pitch.py for the net of `units` hidden
 * units. `features` (candidates, FEATURES), `about` (4,), `likelihood` (candidates + 1,). */
FAST void ask_about_pitch(
    const float *features, long candidates, const float *about, const float *candidate, const float *candidate_bias,
    const float *sound, const float *sound_bias, const float *none, const float *none_bias, const float *score,
    long units, double *likelihood
) {
    double highest = -HUGE_VAL, total = 0;
    for (long i = 0; i <= candidates; i++) {
        int last = i == candidates;
        const float *inputs = last ? about : features + i * FEATURES, *weights = last ? sound : candidate;
        const float *bias = last ? sound_bias : candidate_bias, *onward = last ? none : score;
        long count = last ? 4 : FEATURES;
        float answer = last ? *none_bias : 0;
        for (long unit = 0; unit < units; unit++) {
            float hidden = bias[unit];
            for (long j = 0; j < count; j++) hidden += inputs[j] * weights[j * units + unit];
            if (hidden > 0) answer += hidden * onward[unit];
        }
        likelihood[i] = answer;
        highest = most(highest, answer);
    }
    for (long i = 0; i <= candidates; i++) total += likelihood[i] = exp(likelihood[i] - highest);
    for (long i = 0; i <= candidates; i++) likelihood[i] /= total;
}
