// The dock's tabs on a phone: which part of the panel is open. Wider screens show all parts.

export class Tabs {
    #find;

    constructor({ find }) {
        this.#find = find;
        find('tabs').addEventListener('click', ({ target }) => {
            const { open } = target.closest('button')?.dataset ?? {};
            if (open) this.open(open);
        });
    }

    open(name) {
        this.#find('panel').dataset.open = name;
        this.#find('tab-body').scrollTop = 0;
        for (const button of this.#find('tabs').querySelectorAll('button'))
            button.setAttribute('aria-pressed', String(button.dataset.open === name));
    }
}
