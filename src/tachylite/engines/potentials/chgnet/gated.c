/* The gated multilayer perceptron of gated.py, forward and backward, a tile of rows at a time in the caches.

Every row is computed alone and in one order, so that the answer does not depend on the number of threads or
on the rows around it. Only what backward cannot cheaply make again is kept: the sum of the first layer's
projections (x), the normalised second layer (z), and its inverse deviation. */

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

#define WIDTH 64
#define WIDE (2 * WIDTH)
#define EPSILON 1e-5f

#if defined(__AVX512F__)
#define LANES 16
#define GROUP 6
#elif defined(__AVX__)
#define LANES 8
#define GROUP 3
#else
#define LANES 4
#define GROUP 4
#endif
/* GROUP rows times four vectors of columns are the accumulators of a product: as many as fit the registers */

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

#define TILE (4 * GROUP)

static inline vec load(const float *p) {
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(float *p, vec v) { memcpy(p, &v, sizeof v); }

static inline vec splat(float value) { return value - (vec){0}; }

/* x, or the bound it passes; the compilers do not find these instructions in a comparison of vectors */
static inline vec within(vec x, float bound) {
#if LANES == 16
    return (vec)_mm512_max_ps(_mm512_min_ps((__m512)x, (__m512)splat(bound)), (__m512)splat(-bound));
#elif LANES == 8
    return (vec)_mm256_max_ps(_mm256_min_ps((__m256)x, (__m256)splat(bound)), (__m256)splat(-bound));
#else
    for (int lane = 0; lane < LANES; lane++) x[lane] = fmaxf(fminf(x[lane], bound), -bound);
    return x;
#endif
}

/* exp(x) to 2e-7, by the polynomial of Cephes' expf (S. Moshier, netlib.org/cephes); |x| is cut off at 40, where
   a sigmoid is 0 or 1, so that the product of two of them stays finite */
static inline vec exponential(vec x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to the nearest whole number */
    x = within(x, 40.0f);
    vec shifted = x * 1.44269504088896341f + magic;
    vec n = shifted - magic;
    vec f = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = splat(1.9875691500e-4f);
    p = p * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    p = p * (f * f) + f + 1.0f;
    ivec power = (((ivec)shifted - (ivec)splat(magic)) + 127) << 23;
    return p * (vec)power;
}

static inline vec sigmoid(vec x) { return 1.0f / (1.0f + exponential(-x)); }

/* both sigmoids for the price of one division */
static inline void sigmoids(const vec y[2], vec s[2]) {
    vec a = 1.0f + exponential(-y[0]), b = 1.0f + exponential(-y[1]), r = 1.0f / (a * b);
    s[0] = r * b;
    s[1] = r * a;
}

static inline float total(vec v) {
    float part[LANES];
    store(part, v);
    for (int width = LANES / 2; width; width /= 2)
        for (int lane = 0; lane < width; lane++) part[lane] += part[lane + width];
    return part[0];
}

/* out (TILE, 64) = bias + in (TILE, 64) matrix (64, 64); rows of in and out are WIDE apart, bias may be NULL */
static void multiply(const float *in, const float *matrix, const float *bias, float *out) {
    for (int column = 0; column < WIDTH; column += 4 * LANES)
        for (int row = 0; row < TILE; row += GROUP) {
            vec sum[GROUP][4];
            for (int c = 0; c < 4; c++) {
                vec start = bias ? load(bias + column + c * LANES) : (vec){0};
                for (int r = 0; r < GROUP; r++) sum[r][c] = start;
            }
            for (int k = 0; k < WIDTH; k++) {
                vec m[4];
                for (int c = 0; c < 4; c++) m[c] = load(matrix + k * WIDTH + column + c * LANES);
                for (int r = 0; r < GROUP; r++) {
                    vec factor = splat(in[(row + r) * WIDE + k]);
                    for (int c = 0; c < 4; c++) sum[r][c] += factor * m[c];
                }
            }
            for (int r = 0; r < GROUP; r++)
                for (int c = 0; c < 4; c++) store(out + (row + r) * WIDE + column + c * LANES, sum[r][c]);
        }
}

/* x[row] = (extra ? x[row] : 0) + the rows of the table that index names */
static void gather(int64_t rows, int64_t parts, const int64_t *index, const float *table, int extra, float *x) {
    for (int64_t row = 0; row < rows; row++)
        for (int j = 0; j < WIDE; j += LANES) {
            vec sum = extra ? load(x + row * WIDE + j) : (vec){0};
            for (int64_t part = 0; part < parts; part++) sum += load(table + index[row * parts + part] * WIDE + j);
            store(x + row * WIDE + j, sum);
        }
}

static void forward_tile(int64_t rows, const float *x, const float *second, const float *bias, const float *scale,
                         const float *shift, float *z, float *inverse, float *message) {
    float in[TILE * WIDE], out[TILE * WIDE];
    memcpy(in, x, rows * WIDE * sizeof(float));
    memset(in + rows * WIDE, 0, (TILE - rows) * WIDE * sizeof(float));
    const float *raw = in;
    if (second) {
        for (int j = 0; j < TILE * WIDE; j += LANES) {
            vec v = load(in + j);
            store(in + j, v * sigmoid(v));
        }
        for (int k = 0; k < 2; k++)
            multiply(in + k * WIDTH, second + k * WIDTH * WIDTH, bias + k * WIDTH, out + k * WIDTH);
        raw = out;
    }
    for (int64_t row = 0; row < rows; row++) {
        float factor[2] = {1, 1};
        for (int k = 0; k < 2 && scale; k++) {
            vec squares = {0};
            for (int j = 0; j < WIDTH; j += LANES) {
                vec v = load(raw + row * WIDE + k * WIDTH + j);
                squares += v * v;
            }
            factor[k] = 1.0f / sqrtf(total(squares) / WIDTH + EPSILON);
            inverse[2 * row + k] = factor[k];
        }
        for (int j = 0; j < WIDTH; j += LANES) {
            vec y[2];
            for (int k = 0; k < 2; k++) {
                y[k] = load(raw + row * WIDE + k * WIDTH + j) * factor[k];
                store(z + row * WIDE + k * WIDTH + j, y[k]);
                if (scale) y[k] = y[k] * load(scale + k * WIDTH + j) + load(shift + k * WIDTH + j);
            }
            vec s[2];
            sigmoids(y, s);
            store(message + row * WIDTH + j, y[0] * s[0] * s[1]);
        }
    }
}

static void backward_tile(int64_t rows, const float *gradient, const float *x, const float *z, const float *inverse,
                          const float *second, const float *scale, const float *shift, float *on_x) {
    float in[TILE * WIDE];
    memset(in + rows * WIDE, 0, (TILE - rows) * WIDE * sizeof(float));
    for (int64_t row = 0; row < rows; row++) {
        const float *zr = z + row * WIDE;
        float *to = in + row * WIDE;
        vec along[2] = {{0}, {0}};
        for (int j = 0; j < WIDTH; j += LANES) {
            vec normal[2] = {load(zr + j), load(zr + WIDTH + j)}, y[2] = {normal[0], normal[1]};
            if (scale)
                for (int k = 0; k < 2; k++) y[k] = y[k] * load(scale + k * WIDTH + j) + load(shift + k * WIDTH + j);
            vec g = load(gradient + row * WIDTH + j), s[2];
            sigmoids(y, s);
            vec core = y[0] * s[0];
            vec on[2] = {g * s[1] * (s[0] + core * (1.0f - s[0])), g * core * s[1] * (1.0f - s[1])};
            for (int k = 0; k < 2; k++) {
                if (scale) on[k] *= load(scale + k * WIDTH + j);
                along[k] += on[k] * normal[k];
                store(to + k * WIDTH + j, on[k]);
            }
        }
        for (int k = 0; k < 2 && scale; k++) {
            float projection = total(along[k]) / WIDTH, factor = inverse[2 * row + k];
            for (int j = 0; j < WIDTH; j += LANES) {
                float *p = to + k * WIDTH + j;
                store(p, (load(p) - load(zr + k * WIDTH + j) * projection) * factor);
            }
        }
    }
    if (!second) {
        memcpy(on_x, in, rows * WIDE * sizeof(float));
        return;
    }
    float out[TILE * WIDE];
    for (int k = 0; k < 2; k++) multiply(in + k * WIDTH, second + k * WIDTH * WIDTH, 0, out + k * WIDTH);
    for (int64_t j = 0; j < rows * WIDE; j += LANES) {
        vec v = load(x + j), s = sigmoid(v);
        store(on_x + j, load(out + j) * (s + v * s * (1.0f - s)));
    }
}

/* message (n, 64), tape z (n, 128) and inverse (n, 2) from the rows of a table (., 128) that index (n, parts)
   names, added to x (n, 128) where extra is set; x is kept for backward. second (2, 64, 64) and bias (2, 64), and
   scale and shift (2, 64), may be NULL. */
void gated_forward(int64_t n, int64_t parts, const int64_t *index, const float *table, int extra, const float *second,
                   const float *bias, const float *scale, const float *shift, float *x, float *z, float *inverse,
                   float *message, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t start = 0; start < n; start += TILE) {
        int64_t rows = n - start < TILE ? n - start : TILE;
        gather(rows, parts, index + start * parts, table, extra, x + start * WIDE);
        forward_tile(rows, x + start * WIDE, second, bias, scale, shift, z + start * WIDE, inverse + 2 * start,
                     message + start * WIDTH);
    }
}

/* on_x (n, 128) from gradient (n, 64) and the tape; second is transposed here: (2, 64 out, 64 in) */
void gated_backward(int64_t n, const float *gradient, const float *x, const float *z, const float *inverse,
                    const float *second, const float *scale, const float *shift, float *on_x, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t start = 0; start < n; start += TILE) {
        int64_t rows = n - start < TILE ? n - start : TILE;
        backward_tile(rows, gradient + start * WIDTH, x + start * WIDE, z + start * WIDE, inverse + 2 * start, second,
                      scale, shift, on_x + start * WIDE);
    }
}
