#include "nail/outline.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

enum { RAYS = 60, ROUNDS = 3, TABLE = 256, POINTS_MIN = 12 };

// Chosen on val; all lengths are in the frame's unit, half a nail.
static const float STIFF = 7e-5f;     // cost of a term, by the fourth power of its order
static const float ROUGH = 0.06f;     // a ray this far from the curve gets half the weight
static const float MISFIT = 0.16f;    // mean distance above which no smooth curve describes the
                                      // outline
static const float SOLID_MIN = 0.75f; // minimum share of nail within the farthest crossings
static const float RAY_FROM = 0.2f, RAY_TO = 2.0f;
static const float CUT_BEYOND = 1.15f; // … beyond the point where the border cuts a ray
static const float CUT_WEIGHT = 0.15f;
// The picture's edge: how far from the curve it is searched, its minimum height, and by what share
// of the distance the curve moves to it.
static const float EDGE_NEAR = 0.06f, EDGE_HEIGHT = 0.3f, EDGE_SHARE = 0.6f;
static const float HOLLOW_MAX = 0.03f; // depth of a hollow left at the tip or base

struct ray {
    float terms[LQ_OUTLINE_TERMS]; // 1, cos, sin, …
    float dx, dy;                  // pixels for a unit along it
    float radius, weight;          // of the outline
    float farthest;                // where the ray last left the nail
    float doubt;                   // 1: the ray's end lies on the curve; less: it lies off it
};

struct moments {
    double n, x, y, xx, xy, yy;
};

static struct moments sum_moments(const struct lq_outline_field *field)
{
    struct moments m = {0};
    for (int y = 0; y < field->height; y++) {
        const float *row = field->levels + (size_t)y * (size_t)field->width;
        int64_t n = 0, sx = 0, sxx = 0;
        for (int x = 0; x < field->width; x++) {
            int in = row[x] >= 0.5f;
            n += in;
            sx += in * x;
            sxx += in * (int64_t)x * x;
        }
        m.n += (double)n;
        m.x += (double)sx;
        m.y += (double)n * y;
        m.xx += (double)sxx;
        m.xy += (double)sx * y;
        m.yy += (double)n * y * y;
    }
    return m;
}

// An ellipse's half axes are two standard deviations; the Cholesky factor of the covariance maps a
// circle to it.
static bool place_frame(struct lq_outline *outline, const struct lq_outline_field *field)
{
    struct moments m = sum_moments(field);
    if (m.n < POINTS_MIN)
        return false;
    double x = m.x / m.n, y = m.y / m.n;
    double xx = m.xx / m.n - x * x + 1.0 / 12, yy = m.yy / m.n - y * y + 1.0 / 12;
    double xy = m.xy / m.n - x * y, xu = 2 * sqrt(xx), yu = 4 * xy / xu;
    outline->center_x = (float)x + 0.5f;
    outline->center_y = (float)y + 0.5f;
    outline->xu = (float)xu;
    outline->yu = (float)yu;
    outline->yv = (float)sqrt(fmax(4 * yy - yu * yu, 1e-3));
    return true;
}

static void make_terms(float cosine, float sine, float terms[LQ_OUTLINE_TERMS])
{
    float c = 1, s = 0;
    terms[0] = 1;
    for (int k = 1; k <= LQ_OUTLINE_ORDER; k++) {
        float next = c * cosine - s * sine;
        s = s * cosine + c * sine;
        c = next;
        terms[2 * k - 1] = c;
        terms[2 * k] = s;
    }
}

static float sum_terms(const struct lq_outline *outline, const float terms[LQ_OUTLINE_TERMS])
{
    float sum = 0;
    for (int i = 0; i < LQ_OUTLINE_TERMS; i++)
        sum += outline->terms[i] * terms[i];
    return sum;
}

float lq_outline_radius(const struct lq_outline *outline, float cosine, float sine)
{
    float terms[LQ_OUTLINE_TERMS];
    make_terms(cosine, sine, terms);
    return sum_terms(outline, terms);
}

// Between four pixels; (x, y) lies in the field.
static float value_at(const float *values, const struct lq_outline_field *field, float x, float y)
{
    x = fminf(fmaxf(x - 0.5f, 0), (float)field->width - 1.01f);
    y = fminf(fmaxf(y - 0.5f, 0), (float)field->height - 1.01f);
    int ix = (int)x, iy = (int)y;
    const float *p = values + (size_t)iy * (size_t)field->width + ix, *q = p + field->width;
    float fx = x - (float)ix, upper = p[0] + (p[1] - p[0]) * fx, lower = q[0] + (q[1] - q[0]) * fx;
    return upper + (lower - upper) * (y - (float)iy);
}

static bool lies_inside(const struct lq_outline_field *field, float x, float y)
{
    return x >= 0 && y >= 0 && x < (float)field->width && y < (float)field->height;
}

static bool is_cut(const struct lq_outline_field *field, float x, float y)
{
    float untrusted = field->untrusted;
    return (field->cut[0] && x < untrusted) || (field->cut[1] && y < untrusted) ||
           (field->cut[2] && x > (float)field->width - untrusted) ||
           (field->cut[3] && y > (float)field->height - untrusted);
}

// The radius that contains as much nail as the ray crosses, ignoring holes and notches; its weight
// is the steepness of the levels there.
static void cast_ray(const struct lq_outline *outline, const struct lq_outline_field *field,
                     struct ray *ray)
{
    float step = fminf(1.0f / hypotf(ray->dx, ray->dy), 0.1f);
    float area = RAY_FROM * RAY_FROM, before = 1, slope = 0;
    ray->farthest = RAY_FROM;
    for (float at = RAY_FROM; at < RAY_TO; at += step) {
        float outer = at + step;
        float x = outline->center_x + ray->dx * outer, y = outline->center_y + ray->dy * outer;
        if (before >= 0.5f && is_cut(field, x, y)) {
            ray->radius = ray->farthest = CUT_BEYOND * outer;
            ray->weight = CUT_WEIGHT;
            return;
        }
        if (!lies_inside(field, x, y))
            break;
        float level = value_at(field->levels, field, x, y), part = level >= 0.5f ? 1 : 0;
        if ((before >= 0.5f) != (level >= 0.5f)) {
            float crossing = (0.5f - before) / (level - before);
            part = before >= 0.5f ? crossing : 1 - crossing;
            ray->farthest = before >= 0.5f ? at + crossing * step : outer;
            slope = fmaxf(slope, fabsf(level - before) / step);
        }
        area += part * (outer * outer - at * at);
        before = level;
    }
    ray->radius = sqrtf(area);
    ray->farthest = before >= 0.5f ? RAY_TO : ray->farthest;
    ray->weight = fminf(slope, 4.0f) + 0.2f;
}

static void cast_rays(const struct lq_outline *outline, const struct lq_outline_field *field,
                      struct ray *rays)
{
    for (int i = 0; i < RAYS; i++) {
        float angle = 6.2831853f * (float)i / RAYS, c = cosf(angle), s = sinf(angle);
        make_terms(c, s, rays[i].terms);
        rays[i].dx = outline->xu * c;
        rays[i].dy = outline->yu * c + outline->yv * s;
        rays[i].doubt = 1;
        cast_ray(outline, field, &rays[i]);
    }
}

// Solves a x = b for a symmetric positive matrix (Cholesky) and stores x in b; false if it is not
// positive.
static bool solve(float a[LQ_OUTLINE_TERMS][LQ_OUTLINE_TERMS], float b[LQ_OUTLINE_TERMS])
{
    for (int i = 0; i < LQ_OUTLINE_TERMS; i++) {
        for (int j = 0; j <= i; j++) {
            float sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i == j && !(sum > 1e-9f))
                return false;
            a[i][j] = i == j ? sqrtf(sum) : sum / a[j][j];
        }
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = LQ_OUTLINE_TERMS - 1; i >= 0; i--) {
        for (int k = i + 1; k < LQ_OUTLINE_TERMS; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
    return true;
}

// Least squares, with a penalty on deviations from a circle.
static bool fit_terms(struct lq_outline *outline, const struct ray *rays)
{
    float a[LQ_OUTLINE_TERMS][LQ_OUTLINE_TERMS] = {{0}}, b[LQ_OUTLINE_TERMS] = {0}, total = 0;
    for (int i = 0; i < RAYS; i++) {
        float weight = rays[i].weight * rays[i].doubt;
        total += weight;
        for (int j = 0; j < LQ_OUTLINE_TERMS; j++) {
            float term = weight * rays[i].terms[j];
            for (int k = 0; k < LQ_OUTLINE_TERMS; k++)
                a[j][k] += term * rays[i].terms[k];
            b[j] += term * rays[i].radius;
        }
    }
    for (int j = 1; j < LQ_OUTLINE_TERMS; j++) {
        float square = (float)((j + 1) / 2 * ((j + 1) / 2));
        a[j][j] += STIFF * total * square * square;
    }
    if (!solve(a, b))
        return false;
    memcpy(outline->terms, b, sizeof b);
    return true;
}

// Returns the mean distance of the rays from the curve; rays far off get less weight afterwards.
static float doubt_rays(const struct lq_outline *outline, struct ray *rays)
{
    float off = 0, weight = 0;
    for (int i = 0; i < RAYS; i++) {
        float away = fabsf(sum_terms(outline, rays[i].terms) - rays[i].radius);
        off += rays[i].weight * away;
        weight += rays[i].weight;
        rays[i].doubt = 1 / (1 + (away / ROUGH) * (away / ROUGH));
    }
    return off / weight;
}

// Moves a ray's radius to where the guide falls most from inside to outside, near the curve.
static void seek_edge(const struct lq_outline *outline, const struct lq_outline_field *field,
                      struct ray *ray)
{
    float curve = sum_terms(outline, ray->terms), pixel = 1.0f / hypotf(ray->dx, ray->dy);
    float best = 0, edge = curve;
    for (float at = curve - 2 * EDGE_NEAR; at <= curve + 2 * EDGE_NEAR; at += 0.5f * pixel) {
        float in = at - pixel, out = at + pixel, away = (at - curve) / EDGE_NEAR;
        float x = outline->center_x + ray->dx * out, y = outline->center_y + ray->dy * out;
        if (!lies_inside(field, x, y))
            break;
        float fall = value_at(field->guide, field, outline->center_x + ray->dx * in,
                              outline->center_y + ray->dy * in) -
                     value_at(field->guide, field, x, y);
        fall *= expf(-0.5f * away * away);
        if (fall > best) {
            best = fall;
            edge = at;
        }
    }
    ray->radius += EDGE_SHARE * fminf(best / EDGE_HEIGHT, 1.0f) * (edge - curve);
}

// Whether the nail crossed by the rays fills the area within its farthest parts.
static bool is_solid(const struct ray *rays)
{
    float nail = 0, all = 0;
    for (int i = 0; i < RAYS; i++) {
        nail += rays[i].radius * rays[i].radius;
        all += rays[i].farthest * rays[i].farthest;
    }
    return nail >= SOLID_MIN * all;
}

// Whether a ray leaves the nail at its tip or base instead of at a side: it lies nearer to the long
// axis than to the short one.
static bool is_end(const struct lq_outline *outline, const struct ray *ray)
{
    float xu = outline->xu, yu = outline->yu, yv = outline->yv;
    return 2 * (ray->dx * ray->dx + ray->dy * ray->dy) > xu * xu + yu * yu + yv * yv;
}

// Raises the rays at both ends to the curve's convex hull where that lies more than HOLLOW_MAX
// outside; false if it does so nowhere. A side may be hollow: that of a curved nail seen from the
// side is. The chord between two rays of lengths a and b meets the ray halfway between them, at an
// angle t from both, at 2 a b cos(t) / (a + b).
static bool fill_hollows(const struct lq_outline *outline, struct ray *rays)
{
    float hull[RAYS];
    bool hollow = false;
    for (int i = 0; i < RAYS; i++)
        hull[i] = rays[i].radius = fmaxf(sum_terms(outline, rays[i].terms), RAY_FROM);
    for (int reach = RAYS / 5; reach > 0; reach--) {
        float twice = 2 * rays[reach].terms[1]; // cos(t), as the first ray is at the angle 0
        for (int i = 0; i < RAYS; i++) {
            float a = hull[(i + RAYS - reach) % RAYS], b = hull[(i + reach) % RAYS];
            hull[i] = fmaxf(hull[i], twice * a * b / (a + b));
        }
    }
    for (int i = 0; i < RAYS; i++) {
        if (is_end(outline, &rays[i]) && hull[i] - HOLLOW_MAX > rays[i].radius) {
            rays[i].radius = hull[i] - HOLLOW_MAX;
            hollow = true;
        }
        rays[i].weight = rays[i].doubt = 1;
    }
    return hollow;
}

bool lq_outline_fit(struct lq_outline *outline, const struct lq_outline_field *field)
{
    struct ray rays[RAYS];
    float off = MISFIT;
    if (field->width < 2 || field->height < 2 || !place_frame(outline, field))
        return false;
    cast_rays(outline, field, rays);
    for (int round = 0; round < ROUNDS; round++) {
        if (!fit_terms(outline, rays))
            return false;
        off = doubt_rays(outline, rays);
    }
    if (!(off < MISFIT) || !is_solid(rays))
        return false;
    for (int i = 0; i < RAYS; i++)
        seek_edge(outline, field, &rays[i]);
    return fit_terms(outline, rays) && (!fill_hollows(outline, rays) || fit_terms(outline, rays));
}

// Radii by the angle along a diamond, 0..4 for a full turn, which avoids trigonometry per pixel.
static void make_table(const struct lq_outline *outline, float table[TABLE + 2])
{
    for (int i = 0; i <= TABLE + 1; i++) {
        float turn = 4.0f * (float)(i % TABLE) / TABLE;
        float u = turn <= 2 ? 1 - turn : turn - 3, v = turn <= 2 ? 1 - fabsf(1 - turn)
                                                                 : fabsf(turn - 3) - 1;
        float n = hypotf(u, v);
        table[i] = fmaxf(lq_outline_radius(outline, u / n, v / n), 0.05f);
    }
}

// A row of pixels in the outline's frame: (u, v) of the first, and the step (du, dv).
struct curve_row {
    float u, v, du, dv;
};

LQ_HOT static void draw_row(const float *restrict table, const struct curve_row *row,
                            float *restrict levels, int n)
{
    const float u = row->u, v = row->v, du = row->du, dv = row->dv;
    for (int x = 0; x < n; x++) {
        float pu = u + du * (float)x, pv = v + dv * (float)x;
        float along = pv / (fabsf(pu) + fabsf(pv) + 1e-6f);
        float turn = pu < 0 ? 2 - along : along < 0 ? 4 + along : along;
        float at = turn * (TABLE / 4.0f);
        int i = (int)at;
        float radius = table[i] + (table[i + 1] - table[i]) * (at - (float)i);
        levels[x] = 0.5f + 0.5f * (radius - sqrtf(pu * pu + pv * pv));
    }
}

void lq_outline_draw(const struct lq_outline *outline, const struct lq_outline_field *field)
{
    float table[TABLE + 2];
    make_table(outline, table);
    float du = 1 / outline->xu, dv = -outline->yu * du / outline->yv;
    for (int y = 0; y < field->height; y++) {
        float x0 = 0.5f - outline->center_x, y0 = (float)y + 0.5f - outline->center_y;
        const struct curve_row row = {x0 * du, x0 * dv + y0 / outline->yv, du, dv};
        draw_row(table, &row, field->levels + (size_t)y * (size_t)field->width, field->width);
    }
}
