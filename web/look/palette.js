// Which shades suit a season or a skin tone: colour advisers' rules of thumb, computed in CIELAB.

// "#rrggbb" → [L, a, b] under D65.
export function labOf(hex) {
    const rgb = [1, 3, 5].map((i) => {
        const v = parseInt(hex.slice(i, i + 2), 16) / 255;
        return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return labOfLinear(rgb);
}

export function labOfLinear([r, g, b]) {
    const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function described(hex) {
    const [light, a, b] = labOf(hex);
    const chroma = Math.hypot(a, b);
    const hue = (Math.atan2(b, a) * 180) / Math.PI;
    // Warm hues range from red-orange over yellow to leaf green; greys count as cool.
    const warm = chroma > 6 && hue > 22 && hue < 145;
    const cool = chroma <= 6 || hue < 22 || hue > 145;
    return { light, chroma, warm, cool };
}

const seasons = {
    spring: ({ light, warm }) => warm && light >= 56,
    summer: ({ light, chroma, cool }) => cool && light >= 48 && chroma < 62,
    autumn: ({ light, warm }) => warm && light < 62,
    winter: ({ light, chroma, cool }) => cool && (light < 48 || chroma >= 45 || light > 92),
};
// For a skin tone: nudes near the skin's own lightness; otherwise shades that stand out from the
// skin without making it look pale.
const skins = {
    fair: ({ light, chroma, warm }, family) =>
        family === 'nude'
            ? light > 62
            : light < 78 && (chroma > 18 || light < 45) && !(warm && light > 72),
    medium: ({ light, chroma }, family) =>
        family === 'nude' ? light > 42 && light < 74 : chroma > 28 && light < 84,
    deep: ({ light, chroma }, family) =>
        family === 'nude' ? light < 52 : chroma > 40 || light > 84 || light < 26,
};

export const seasonNames = Object.keys(seasons);
export const skinNames = Object.keys(skins);

// Whether a shade belongs to the group; undefined if the name is neither a season nor a skin tone.
export function suits({ color, family }, name) {
    const rule = seasons[name] ?? skins[name];
    return rule && rule(described(color), family);
}
