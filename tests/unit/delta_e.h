// Colour difference CIEDE2000 between two linear sRGB colours, for tests (Sharma, Wu and Dalal,
// "The CIEDE2000 Color-Difference Formula", 2005).
#pragma once

#include <math.h>

static inline double unit_lab_curve(double t)
{
    return t > 216.0 / 24389.0 ? cbrt(t) : (24389.0 / 27.0 * t + 16.0) / 116.0;
}

static inline void unit_lab(const double rgb[3], double lab[3])
{
    double x = 0.4124564 * rgb[0] + 0.3575761 * rgb[1] + 0.1804375 * rgb[2];
    double y = 0.2126729 * rgb[0] + 0.7151522 * rgb[1] + 0.0721750 * rgb[2];
    double z = 0.0193339 * rgb[0] + 0.1191920 * rgb[1] + 0.9503041 * rgb[2];
    double fx = unit_lab_curve(x / 0.95047), fy = unit_lab_curve(y);
    double fz = unit_lab_curve(z / 1.08883);
    lab[0] = 116.0 * fy - 16.0;
    lab[1] = 500.0 * (fx - fy);
    lab[2] = 200.0 * (fy - fz);
}

static inline double unit_hue(double a, double b)
{
    double hue = atan2(b, a) * 180.0 / M_PI;
    return hue < 0.0 ? hue + 360.0 : hue;
}

static inline double unit_delta_e_lab(const double p[3], const double q[3])
{
    double rad = M_PI / 180.0, mean = (hypot(p[1], p[2]) + hypot(q[1], q[2])) / 2.0;
    double g = 0.5 * (1.0 - sqrt(pow(mean, 7) / (pow(mean, 7) + pow(25.0, 7))));
    double a1 = (1.0 + g) * p[1], a2 = (1.0 + g) * q[1];
    double c1 = hypot(a1, p[2]), c2 = hypot(a2, q[2]), c = (c1 + c2) / 2.0;
    double h1 = unit_hue(a1, p[2]), h2 = unit_hue(a2, q[2]), dh = h2 - h1, h = (h1 + h2) / 2.0;
    if (c1 * c2 == 0.0) {
        dh = 0.0;
        h = h1 + h2;
    } else if (fabs(dh) > 180.0) {
        dh += dh > 0.0 ? -360.0 : 360.0;
        h += h < 180.0 ? 180.0 : -180.0;
    }
    double dl = q[0] - p[0], dc = c2 - c1, dhh = 2.0 * sqrt(c1 * c2) * sin(rad * dh / 2.0);
    double l50 = pow((p[0] + q[0]) / 2.0 - 50.0, 2);
    double t = 1.0 - 0.17 * cos(rad * (h - 30.0)) + 0.24 * cos(rad * 2.0 * h) +
               0.32 * cos(rad * (3.0 * h + 6.0)) - 0.20 * cos(rad * (4.0 * h - 63.0));
    double sl = 1.0 + 0.015 * l50 / sqrt(20.0 + l50), sc = 1.0 + 0.045 * c,
        sh = 1.0 + 0.015 * c * t;
    double rt = -2.0 * sqrt(pow(c, 7) / (pow(c, 7) + pow(25.0, 7))) *
                sin(rad * 60.0 * exp(-pow((h - 275.0) / 25.0, 2)));
    return sqrt(pow(dl / sl, 2) + pow(dc / sc, 2) + pow(dhh / sh, 2) + rt * dc / sc * dhh / sh);
}

static inline double unit_delta_e_2000(const double rgb1[3], const double rgb2[3])
{
    double lab1[3], lab2[3];
    unit_lab(rgb1, lab1);
    unit_lab(rgb2, lab2);
    return unit_delta_e_lab(lab1, lab2);
}
