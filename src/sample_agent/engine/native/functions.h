/* The kernel's functions, as Python calls them; each is described where it is defined. Read by the compiler and by
 * cffi, so there is nothing here but declarations. */

struct transform;
struct long_transform;

/* Triangular filters as runs of weights: filter `i` starts at bin `first[i]` and has `count[i]` weights. */
struct filters {
    long number;
    const int32_t *first, *count;
    const float *weights;
};

long kernel_version(void);

/* frames.c */
struct transform *transform_new(long size, const float *window);
struct long_transform *long_transform_new(long size);
int power_frames(const struct transform *tables, const float *samples, long hop, long count, float *out);
int short_frames(
    const struct transform *tables, const struct filters *mel_filters, const struct filters *row_filters,
    const int32_t *bands, float nyquist, const float *samples, long hop, long count, float *mel, float *rows,
    float *statistics
);
int pitch_curves(
    const struct long_transform *tables, float *windows, long count, long size, long lags, double *alike, double *mean,
    float *amplitude, float *highest
);

/* samples.c */
void take_apart(
    const float *block, long count, long channels, float *planar, float *mono, double *sums, double *powers,
    double *others
);
long measure_cells(
    const float *mono, long cells, long size, int32_t *negative, float *minimum, float *maximum, float *energy,
    uint16_t *crossings
);
void weighted_energy(
    const float *samples, long channels, long count, const float *output, const double *onward, double *states,
    const double *weights, double step, double position, double *steps
);
float find_peaks(
    const float *samples, long channels, long length, const float *taps, long between, double *peaks
);
void decimate(const float *samples, long count, long factor, const float *response, long taps, float *out);

/* levels.c */
void picture_levels(const float *rows, long frames, long bands, float highest, float range, uint8_t *levels);
double add_frames(
    const float *statistics, long columns, const float *mel, long bands, long frames, double step, float floor,
    double *sums
);

/* marks.c */
void outline(const float *minimum, const float *maximum, long count, long points, float *low, float *high);
void onset_rises(const float *mel, long frames, float gain, long low, long high, float *rises);
long find_peaks_of_rise(
    const float *rise, long frames, long gap, long reach, float clear, long room, int64_t *found
);
void place_onsets(
    const float *energy, long cells, const double *times, long onsets, long earlier, long later, double *placed
);
int fingerprint_pictures(
    const float *mel, long frames, double fine_step, double coarse_step, const float *tonal, long rows, long bins,
    double width, int64_t *sizes, uint8_t *fine, uint8_t *coarse, uint8_t *notes
);

/* pitch.c */
long pitch_candidates(
    const double *alike, long windows, const double *mean, long lags, const float *amplitude, const float *highest,
    long bins, double sample_rate, double width, float *frequency, float *features, float *about
);
long find_tones_in(
    const float *power, long frames, long bins, long first, long blocks, double width, float prominence, long room,
    int64_t *frame, float *octaves, float *weight, double *energies
);

long sort_into_classes(
    const int64_t *frame, const float *pitch, const float *weight, long tones, float tuning, long segments,
    float *classes
);
void ask_about_pitch(
    const float *features, long candidates, const float *about, const float *candidate, const float *candidate_bias,
    const float *sound, const float *sound_bias, const float *none, const float *none_bias, const float *score,
    long units, double *likelihood
);

/* describe.c */
int describe_sound(
    const float *mel, const double *energy, long count, long start, long stop, double rate, double duration,
    const float *cells, long levels, double level_rate, const float *tonal, long frames, long bins, long used,
    double width, const int32_t *edges, double *pulses, double *out
);

/* trained.c */
void sum_of_trees(
    const int16_t *feature, const float *threshold, const float *value, long trees, long inner, const float *rows,
    long count, long columns, double *sums
);
int ask_nets(
    const float *numbers, const float *mean, const float *scale, const float *hidden, const float *hidden_bias,
    const float *output, const float *output_bias, long inputs, long nets, long width, long outputs, float *answers
);
void mean_likelihoods(const float *answers, long nets, long outputs, float *likely);
