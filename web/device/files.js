// Reads the runtime's folder as tools/device.py creates it: device.json names its files, each with
// a hash of its content in the name, so it may be cached for ever. Only needed files are
// downloaded.
//
// device.json: {"version": 1,
//   "nails": {"sizes": [[384, 288], …], "threshold": 0.5, "name": "nail"},
//   "hand": true,
//   "files": {"lacquer.wasm": {"file": "lacquer-0123456789.wasm", "bytes": 224048,
//                              "sha256": "…"}, "nail.onnx": …, "hand.onnx": …,
//             "ort.mjs": …, "ort.glue": …, "ort.wasm": …, "unzstd.mjs": …,
//             "ort-webgpu.mjs"?: …, "ort-webgpu.glue"?: …, "ort-webgpu.wasm"?: …}}

// A static site's files are compressed, because some hosts do not compress. This is recognised by
// the first bytes, since a host may have decompressed them on the way.
const zstd = [0x28, 0xb5, 0x2f, 0xfd];
const isPacked = (bytes) => zstd.every((byte, i) => bytes[i] === byte);

export class DeviceFiles {
    #base;
    #coming = new Map(); // name → promise of its bytes
    manifest;
    fetched = 0; // bytes, unpacked
    onprogress = () => {}; // (bytes so far)

    constructor(base, manifest) {
        this.#base = base;
        this.manifest = manifest;
    }

    // base: URL of the folder, with a trailing slash. Throws if it does not exist.
    static async open(base) {
        const response = await fetch(new URL('device.json', base), { cache: 'no-cache' });
        if (!response.ok) throw new Error(`no device runtime at ${base}: ${response.status}`);
        const manifest = await response.json();
        if (manifest.version !== 1) throw new Error('a device runtime of another version');
        return new DeviceFiles(base, manifest);
    }

    has(name) {
        return name in this.manifest.files;
    }

    url(name) {
        const entry = this.manifest.files[name];
        if (!entry) throw new Error(`the device runtime has no ${name}`);
        return new URL(entry.file, this.#base).href;
    }

    // Starts downloading files that will be needed.
    prefetch(...names) {
        for (const name of names) {
            const coming = this.#fetch(name);
            coming.catch(() => {}); // the error goes to whoever needs the file
            this.#coming.set(name, coming);
        }
    }

    async bytes(name) {
        const coming = this.#coming.get(name) ?? this.#fetch(name);
        this.#coming.delete(name);
        return coming;
    }

    async #fetch(name) {
        const response = await fetch(this.url(name));
        if (!response.ok) throw new Error(`${name}: ${response.status}`);
        const bytes = await this.#unpacked(name, await response.arrayBuffer());
        if (bytes.byteLength !== this.manifest.files[name].bytes)
            throw new Error(`${name} arrived with ${bytes.byteLength} bytes`);
        this.fetched += bytes.byteLength;
        this.onprogress(this.fetched);
        return bytes;
    }

    // fzstd, because no browser decompresses zstd for scripts yet.
    async #unpacked(name, buffer) {
        const bytes = new Uint8Array(buffer);
        if (!isPacked(bytes)) return buffer;
        const { decompress } = await import(this.url('unzstd.mjs'));
        return decompress(bytes, new Uint8Array(this.manifest.files[name].bytes)).buffer;
    }
}
