// Draws a camera frame at the size to send and encodes it as JPEG, off the main thread.
let canvas = null;
let context = null;

onmessage = async ({ data: { frame, width, height, quality } }) => {
    try {
        if (!canvas) {
            canvas = new OffscreenCanvas(width, height);
            context = canvas.getContext('2d', { alpha: false });
        }
        if (canvas.width !== width || canvas.height !== height) {
            canvas.width = width;
            canvas.height = height;
        }
        context.drawImage(frame, 0, 0, width, height);
        frame.close();
        const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality });
        const bytes = await blob.arrayBuffer();
        postMessage({ bytes }, [bytes]);
    } catch (error) {
        frame.close();
        postMessage({ error: String(error) });
    }
};
