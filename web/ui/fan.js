// A fan of swatch sticks in the chosen colour, shown until there is a picture.

function make(name, attributes) {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
}

export function drawFan(fan) {
    for (const angle of [-50, -25, 50, 25, 0]) {
        const group = make('g', { transform: `rotate(${angle} 160 196)` });
        group.append(
            make('path', { class: 'stick', d: 'M150 100h20l-3 104a7 7 0 0 1-14 0Z' }),
            make('path', {
                class: 'tip',
                d: 'M138 112V74c0-34 9-62 22-62s22 28 22 62v38c0 9-10 14-22 14s-22-5-22-14Z',
            }),
            make('path', {
                class: 'shadow',
                d: 'M160 12c13 0 22 28 22 62v38c0 9-10 14-22 14 8-3 12-8 12-18V74c0-30-4-52-12-62Z',
            }),
            make('path', { class: 'gloss', d: 'M148 98V70c0-19 3-32 7-39' }),
        );
        fan.append(group);
    }
    fan.append(make('circle', { class: 'pin', cx: 160, cy: 196, r: 5 }));
}
