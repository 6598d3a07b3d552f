// How the device bears the work, by what its browser says of it: a battery that runs low (Battery
// Status API), and a processor that has nothing left, because of heat or another program (Compute
// Pressure API). Few browsers say either; speed is measured all the same (engine-choice.js). Pure:
// told the time and the signals, knows no page.

const batteryLow = 0.2;
const batteryWell = 0.3; // from here on it is well again, without a charger
const pressedMs = 5000; // of critical pressure at a stretch: a page that loads is none
const easedMs = 20000; // without it

export const unstrained = { battery: false, pressed: false, critical: false, since: 0 };

function batteryIsLow(before, battery) {
    if (!battery || battery.charging) return false;
    return battery.level <= (before ? batteryWell : batteryLow);
}

// before: what it gave last. signals: battery, {charging, level: 0 to 1}, and pressure, 'nominal',
// 'fair', 'serious' or 'critical'; null: the browser does not say. → battery: it is to be spared;
// pressed: the processor is; critical, since: the pressure and when that began or ended.
export function strainOf(before, { battery = null, pressure = null }, now) {
    const critical = pressure === 'critical';
    const since = critical === before.critical ? before.since : now;
    const lasts = now - since >= (critical ? pressedMs : easedMs);
    return {
        battery: batteryIsLow(before.battery, battery),
        pressed: pressure !== null && (lasts ? critical : before.pressed),
        critical,
        since,
    };
}
