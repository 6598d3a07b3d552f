// The page that asks for the server's token, in the user's language. The token is put into the
// address once; the server responds with a cookie and an address without it (docs/PROTOCOL.md).

const texts = {
    en: {
        title: 'Enter your access code',
        label: 'Access code',
        open: 'Open',
        help: 'This try-on is private. Whoever invited you has the code.',
        wrong: 'This code is not known here. Check it for typing mistakes.',
    },
    de: {
        title: 'Gib deinen Zugangscode ein',
        label: 'Zugangscode',
        open: 'Öffnen',
        help: 'Diese Anprobe ist privat. Den Code hat, wer dich eingeladen hat.',
        wrong: 'Dieser Code ist hier nicht bekannt. Prüfe ihn auf Tippfehler.',
    },
    es: {
        title: 'Escribe tu código de acceso',
        label: 'Código de acceso',
        open: 'Abrir',
        help: 'Este probador es privado. Quien te invitó tiene el código.',
        wrong: 'Este código no se conoce aquí. Comprueba si tiene errores.',
    },
    ar: {
        direction: 'rtl',
        title: 'أدخلي رمز الدخول',
        label: 'رمز الدخول',
        open: 'فتح',
        help: 'هذه التجربة خاصة. الرمز عند من دعاكِ.',
        wrong: 'هذا الرمز غير معروف هنا. تحقّقي من كتابته.',
    },
};

const wanted = navigator.languages.map((tag) => tag.toLowerCase().split('-')[0]);
const language = wanted.find((one) => Object.hasOwn(texts, one)) ?? 'en';
const said = texts[language];
const find = (id) => document.getElementById(id);

document.documentElement.lang = language;
document.documentElement.dir = said.direction ?? 'ltr';
for (const id of ['title', 'label', 'open', 'help']) find(id).textContent = said[id];

const address = new URL(location);
if (address.searchParams.has('token')) {
    find('wrong').textContent = said.wrong;
    find('wrong').hidden = false;
    find('token').setAttribute('aria-invalid', 'true');
    find('token').setAttribute('aria-describedby', 'wrong');
    // A wrong code need not stay in the history.
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
}

find('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const next = new URL(location);
    next.searchParams.set('token', find('token').value.trim());
    location.assign(next);
});
