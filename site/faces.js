// @ts-check
import { element, placed } from './dom.js';
import { markPlace } from './geometry.js';

/**
 * @typedef {import('./photo.js').Preview} Preview
 * @typedef {import('./session.js').State} State
 * @typedef {import('./i18n.js').Translator} Translator
 */

/** The visitor's photo with its faces marked; several faces are buttons to choose from. */
export class FacesView {
  #root;
  #onChoose;
  /** What the marks were made for: they are kept, and with them the focus, while it is the same. */
  #shown = '';

  /**
   * @param {HTMLElement} root
   * @param {(face: number) => void} onChoose
   */
  constructor(root, onChoose) {
    this.#root = root;
    this.#onChoose = onChoose;
  }

  /**
   * @param {State} state
   * @param {Translator} translator
   */
  show({ photo, faces, face, step }, translator) {
    const preview = photo?.preview ?? null;
    this.#root.classList.toggle('busy', step === 'preparing' || step === 'searching');
    const shown = `${preview?.url} ${faces.length} ${translator.language}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#root.replaceChildren(...(preview ? this.#drawn(preview, faces, translator) : []));
    }
    for (const mark of this.#root.querySelectorAll('button')) {
      mark.setAttribute('aria-pressed', String(mark.value === String(face)));
    }
  }

  /**
   * @param {Preview} preview
   * @param {State['faces']} faces
   * @param {Translator} translator
   */
  #drawn(preview, faces, translator) {
    const { url, width, height } = preview;
    const picture = element('img', { src: url, width, height, alt: translator.text('photo.alt') });
    const fromLeft = faces.map(({ box }, index) => ({ box, index })).sort((a, b) => a.box[0] - b.box[0]);
    const marks = fromLeft.map(({ box, index }, order) => {
      const mark =
        faces.length === 1
          ? element('span', { className: 'mark', title: translator.text('photo.mark') })
          : this.#choice(index, translator.text('photo.face', { number: order + 1 }));
      return placed(mark, markPlace(box, preview));
    });
    return [picture, ...marks];
  }

  /**
   * @param {number} face
   * @param {string} label
   */
  #choice(face, label) {
    const button = element('button', { type: 'button', className: 'mark', value: String(face), title: label });
    button.addEventListener('click', () => this.#onChoose(face));
    return button;
  }
}
