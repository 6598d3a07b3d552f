// Photos from the file chooser, by drop and by paste.

// Many systems do not know the type of an iPhone's photos.
const isPicture = ({ type, name }) =>
    type ? type.startsWith('image/') : /\.hei[cf]$/i.test(name);

// Where a drop or a paste is meant for the element: anywhere on a page that contains only it. On a
// shop's page only within it, because a picture for the shop's chat is not ours to open.
function areaOf(box) {
    const alone = document.documentElement.hasAttribute('data-lacquer');
    return alone ? document : box.getRootNode().host;
}

// choose: elements whose click opens the chooser; open: (File) → nothing; signal: ends it all.
export function takePhotos({ find, choose, open, signal }) {
    const box = find('stage');
    const file = find('file');
    const area = areaOf(box);
    const on = (target, type, call) => target.addEventListener(type, call, { signal });
    for (const button of choose) on(button, 'click', () => file.click());
    on(file, 'change', () => {
        if (file.files[0]) open(file.files[0]);
        file.value = '';
    });
    const hasFile = ({ defaultPrevented, dataTransfer }) =>
        !defaultPrevented && dataTransfer?.types.includes('Files');
    on(area, 'dragover', (event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        box.dataset.drop = '';
    });
    on(area, 'dragleave', ({ relatedTarget }) => {
        if (!area.contains(relatedTarget)) delete box.dataset.drop;
    });
    on(area, 'drop', (event) => {
        delete box.dataset.drop;
        if (!hasFile(event)) return;
        event.preventDefault(); // the browser would leave the page for the file
        const picture = [...event.dataTransfer.files].find(isPicture);
        if (picture) open(picture);
    });
    on(area, 'paste', (event) => {
        const picture = [...(event.clipboardData?.files ?? [])].find(isPicture);
        if (event.defaultPrevented || !picture) return;
        event.preventDefault();
        open(picture);
    });
}
