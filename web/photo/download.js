// A picture leaves the page only when the user saves it as a file or shares it.

function fileOf(blob, shade) {
    const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const name = shade.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-');
    const ending = blob.type === 'image/png' ? 'png' : 'jpg';
    return new File([blob], `lacquer-${name}-${stamp}.${ending}`, { type: blob.type });
}

export function savePicture(blob, shade) {
    const file = fileOf(blob, shade);
    const anchor = document.createElement('a');
    anchor.download = file.name;
    anchor.href = URL.createObjectURL(file);
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
}

export function canShare() {
    const probe = new File([''], 'lacquer.jpg', { type: 'image/jpeg' });
    return navigator.canShare?.({ files: [probe] }) ?? false;
}

// message: {text, url} to share with the picture, if the system accepts both. Returns false if the
// user cancelled.
export async function sharePicture(blob, shade, message = {}) {
    const picture = { files: [fileOf(blob, shade)], title: shade };
    const all = { ...picture, ...message };
    try {
        await navigator.share(navigator.canShare(all) ? all : picture);
        return true;
    } catch (error) {
        if (error.name === 'AbortError') return false;
        throw error;
    }
}
