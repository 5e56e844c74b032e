/* Whether there are notes, how high, how many, and whether the pitch falls: 37 numbers, see
 * sound/descriptors/tonality.py. */

#include "describe.h"

#define PITCHES 252 /* thirds of a semitone, seven octaves */
#define OVERTONES 8
#define NOTES 4

/* The strongest notes of a spectrum, and what is left without them. */
struct notes {
    int at[NOTES];            /* in thirds of a semitone from C1 */
    double strength[NOTES];   /* of each beside the strongest */
    double strongest;
    int step[OVERTONES];      /* thirds of a semitone from a note to its overtones */
    double left[PITCHES];
};

/* Amplitude at each pitch, the loudest being 1. */
INLINE void amplitudes_of_pitches(const struct sound *s, double *amplitude) {
    double loudest = 0, before = between(s->sums, s->bins, 32.703 * exp2(-0.5 / 36) / s->width - 0.5);
    for (int i = 0; i < PITCHES; i++) {
        double behind = between(s->sums, s->bins, 32.703 * exp2((i + 0.5) / 36) / s->width - 0.5);
        amplitude[i] = sqrt(most(behind - before, 0));
        loudest = most(loudest, amplitude[i]);
        before = behind;
    }
    for (int i = 0; i < PITCHES; i++) amplitude[i] /= most(loudest, 1e-12);
}

/* Takes the note that explains most of the spectrum as its overtones out of it, four times. */
INLINE void find_notes(const double *amplitude, struct notes *notes) {
    double level[OVERTONES], *left = notes->left;
    memcpy(left, amplitude, PITCHES * sizeof *left);
    notes->strongest = 0;
    for (int h = 0; h < OVERTONES; h++) {
        notes->step[h] = (int)rint(36 * log2(h + 1.0));
        level[h] = h ? level[h - 1] * 0.8 : 1;
    }
    for (int round = 0; round < NOTES; round++) {
        double best = -1;
        for (int i = 0; i < PITCHES; i++) {
            double salience = 0;
            for (int h = 0; h < OVERTONES && i + notes->step[h] < PITCHES; h++)
                salience += left[i + notes->step[h]] * level[h];
            if (salience > best) best = salience, notes->at[round] = i;
        }
        notes->strongest = most(notes->strongest, best);
        notes->strength[round] = best / most(notes->strongest, 1e-12);
        for (int h = 0; h < OVERTONES; h++) {
            int overtone = notes->at[round] + notes->step[h];
            for (int place = overtone - 1; place <= overtone + 1; place++)
                if (place >= 0 && place < PITCHES) left[place] = 0;
        }
    }
}

/* Middle of the lowest ten bands in six stretches after the start: 6 numbers. */
INLINE double *sweep(const struct sound *s, double *out) {
    static const double moments[] = {0, 0.012, 0.03, 0.06, 0.12, 0.25, 0.6};
    for (int moment = 0; moment < 6; moment++) {
        double low[10], whole = 0, places = 0;
        mean_between(s->mel, s->frames, BANDS, 10, moments[moment] * s->rate, moments[moment + 1] * s->rate, low);
        for (int b = 0; b < 10; b++) whole += low[b] = sqrt(low[b]), places += low[b] * b;
        *out++ = places / most(whole, 1e-12) / 10;
    }
    return out;
}

FAST double *describe_tonality(const struct sound *s, double *out) {
    double amplitude[PITCHES], peaks[PITCHES] = {0}, energy = 0, in_peaks = 0;
    int above_tenth = 0, above_little = 0;
    amplitudes_of_pitches(s, amplitude);
    for (int i = 0; i < PITCHES; i++) energy += amplitude[i] * amplitude[i];
    energy = most(energy, 1e-12);
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
    struct notes notes;
    find_notes(amplitude, &notes);
    double chroma[12] = {0}, all = 0, entropy = 0, fullest = 0, remains = 0;
    for (int i = 0; i < PITCHES; i++) {
        chroma[i / 3 % 12] += peaks[i] * peaks[i], all += peaks[i] * peaks[i];
        remains += notes.left[i] * notes.left[i];
    }
    for (int i = 0; i < 12; i++) {
        chroma[i] /= most(all, 1e-12);
        entropy -= chroma[i] * log(chroma[i] + 1e-9);
        fullest = most(fullest, chroma[i]);
    }
    double first = notes.at[0] / 36.0;
    *out++ = in_peaks / energy, *out++ = notes.strongest, *out++ = first / 7;
    *out++ = entropy / log(12.0), *out++ = fullest, *out++ = remains / energy;
    for (int round = 1; round < NOTES; round++) *out++ = notes.strength[round];
    for (int round = 1; round < NOTES; round++) {
        double semitones = fmod((notes.at[round] / 36.0 - first) * 12, 12);
        *out++ = (semitones < 0 ? semitones + 12 : semitones) / 12;
    }
    for (int interval = 1; interval <= 6; interval++, out++) {
        *out = 0;
        for (int i = 0; i < 12; i++) *out += chroma[(i + 12 - interval) % 12] * chroma[i];
    }
    out = sweep(s, out);
    *out++ = above_tenth / 20.0, *out++ = above_little / 40.0;
    for (int part = 0; part < 6; part++, out++) {
        *out = 0;
        for (int i = 42 * part; i < 42 * part + 42; i++) *out += amplitude[i] * amplitude[i] / energy;
    }
    int root_note = (int)(first * 36);
    for (int h = 0; h < 5; h++) {
        int place = root_note + notes.step[h];
        *out++ = amplitude[place < PITCHES ? place : PITCHES - 1];
    }
    return out;
}
