// Photos from the file chooser, by drop and by paste.

// choose: elements whose click opens the chooser; open: (File) → nothing. Returns a function that
// removes the listeners from the document.
export function takePhotos({ find, choose, open }) {
    const box = find('stage');
    const file = find('file');
    for (const button of choose) button.addEventListener('click', () => file.click());
    file.addEventListener('change', () => {
        if (file.files[0]) open(file.files[0]);
        file.value = '';
    });
    const gone = new AbortController();
    const on = (type, call) => document.addEventListener(type, call, { signal: gone.signal });
    const hasFile = (event) => event.dataTransfer?.types.includes('Files');
    on('dragover', (event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        box.dataset.drop = '';
    });
    on('dragleave', (event) => {
        if (!event.relatedTarget) delete box.dataset.drop;
    });
    on('drop', (event) => {
        delete box.dataset.drop;
        if (!hasFile(event) || !event.dataTransfer.files[0]) return;
        event.preventDefault();
        open(event.dataTransfer.files[0]);
    });
    on('paste', (event) => {
        if (event.clipboardData?.files[0]) open(event.clipboardData.files[0]);
    });
    return () => gone.abort();
}
