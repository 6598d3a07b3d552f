// The user's own nail designs: pictures kept on this device (IndexedDB) and drawn by the page; they
// are never sent to the server.

const storeName = 'designs';
const sideMax = 512; // same limit as for the server's patterns
const keptMax = 24;
const prefix = 'own:';

export const isOwnDesign = (image) => typeof image === 'string' && image.startsWith(prefix);

function done(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

async function store(mode) {
    const opening = indexedDB.open('lacquer', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(storeName);
    const base = await done(opening);
    return base.transaction(storeName, mode).objectStore(storeName);
}

// Returns the picture as a PNG, reduced if it is too large. Throws if it is not a picture.
async function shrink(file) {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return canvas.toDataURL('image/png');
}

// [{name, image: data URL}], as painters take patterns; empty if storage is blocked.
export async function keptDesigns() {
    try {
        const kept = await store('readonly');
        const [names, images] = await Promise.all([done(kept.getAllKeys()), done(kept.getAll())]);
        return names.map((name, i) => ({ name, image: images[i] }));
    } catch {
        return [];
    }
}

// Stores a file as a design → {name, image}. Removes the oldest one if there are too many.
export async function keepDesign(file) {
    const design = { name: `${prefix}${Date.now()}`, image: await shrink(file) };
    try {
        const kept = await store('readwrite');
        kept.put(design.image, design.name);
        const names = await done(kept.getAllKeys());
        for (const name of names.slice(0, Math.max(0, names.length - keptMax))) kept.delete(name);
    } catch {
        /* storage is blocked: it lasts as long as the page */
    }
    return design;
}
