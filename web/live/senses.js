// What the browser reports about the device: its battery and the pressure on its processor. Reports
// nothing if the browser does not.

const everyMs = 2000;

async function watchBattery(tell, signal) {
    const battery = await navigator.getBattery?.();
    if (!battery || signal.aborted) return;
    const say = () => tell({ battery: { charging: battery.charging, level: battery.level } });
    for (const type of ['chargingchange', 'levelchange'])
        battery.addEventListener(type, say, { signal });
    say();
}

async function watchPressure(tell, signal) {
    const { PressureObserver } = globalThis;
    if (!PressureObserver?.knownSources?.includes('cpu')) return;
    const observer = new PressureObserver((records) => tell({ pressure: records.at(-1).state }));
    await observer.observe('cpu', { sampleInterval: everyMs });
    if (signal.aborted) observer.disconnect();
    else signal.addEventListener('abort', () => observer.disconnect());
}

// tell: ({battery} or {pressure}), as strain.js needs them. Returns a function that ends it. A
// page's policy, or that of an embedding page, may forbid either.
export function watchDevice(tell) {
    const ending = new AbortController();
    for (const watch of [watchBattery, watchPressure])
        watch(tell, ending.signal).catch(() => {});
    return () => ending.abort();
}
