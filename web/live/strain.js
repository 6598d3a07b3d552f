// How strained the device is, from what its browser reports: a low battery (Battery Status API),
// and a processor without reserves, because of heat or another program (Compute Pressure API). Few
// browsers report either; speed is measured in any case (engine-choice.js). Pure: gets the time and
// the signals as arguments and knows nothing of the page.

const batteryLow = 0.2;
const batteryWell = 0.3; // from here on it counts as recovered, without a charger
const pressedMs = 5000; // of uninterrupted critical pressure; a loading page causes less
const easedMs = 20000; // without it

export const unstrained = { battery: false, pressed: false, critical: false, since: 0 };

function batteryIsLow(before, battery) {
    if (!battery || battery.charging) return false;
    return battery.level <= (before ? batteryWell : batteryLow);
}

// before: the previous result. signals: battery, {charging, level: 0 to 1}, and pressure,
// 'nominal', 'fair', 'serious' or 'critical'; null: the browser does not report it. → battery: low;
// pressed: the processor is; critical, since: the pressure, and when that began or ended.
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
