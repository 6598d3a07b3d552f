// What the browser reports about the device: its battery and the pressure on its processor. Reports
// nothing if the browser does not.

const everyMs = 2000;

async function watchBattery(report, signal) {
    const battery = await navigator.getBattery?.();
    if (!battery || signal.aborted) return;
    const send = () => report({ battery: { charging: battery.charging, level: battery.level } });
    for (const type of ['chargingchange', 'levelchange'])
        battery.addEventListener(type, send, { signal });
    send();
}

async function watchPressure(report, signal) {
    const { PressureObserver } = globalThis;
    if (!PressureObserver?.knownSources?.includes('cpu')) return;
    const observer = new PressureObserver((records) => report({ pressure: records.at(-1).state }));
    await observer.observe('cpu', { sampleInterval: everyMs });
    if (signal.aborted) observer.disconnect();
    else signal.addEventListener('abort', () => observer.disconnect());
}

// report: ({battery} or {pressure}), as strain.js needs them. Returns a function that ends it. A
// page's policy, or that of an embedding page, may forbid either.
export function watchDevice(report) {
    const ending = new AbortController();
    for (const watch of [watchBattery, watchPressure])
        watch(report, ending.signal).catch(() => {});
    return () => ending.abort();
}
