// @ts-check
import { button, element } from './dom.js';

/**
 * @typedef {import('./i18n.js').MessageKey} MessageKey
 * @typedef {import('./i18n.js').Translator} Translator
 */

const QUALITY = 0.92;

/** `<camera-dialog>`: a live picture from the camera, and a button that takes it. */
export class CameraDialog extends HTMLElement {
  #dialog = element('dialog', { className: 'camera' });
  #video = element('video', { muted: true, playsInline: true, autoplay: true });
  /** @type {MediaStream | null} */
  #stream = null;
  /**
   * The camera that is asked for: first the one that looks at the visitor.
   *
   * @type {MediaTrackConstraints}
   */
  #wanted = { facingMode: 'user' };
  /** @type {Translator} */
  #translator;
  /** @type {Blob | null} */
  #picture = null;

  /** @param {Translator} translator */
  constructor(translator) {
    super();
    this.#translator = translator;
  }

  /**
   * Lets the visitor take a picture.
   *
   * @param {Translator} translator
   * @returns {Promise<Blob | null>} `null` when they do not
   */
  static async takePicture(translator) {
    const camera = new CameraDialog(translator);
    document.body.append(camera);
    try {
      return await camera.#run();
    } finally {
      camera.remove();
    }
  }

  disconnectedCallback() {
    this.#stop();
  }

  async #run() {
    const closed = new Promise((done) => this.#dialog.addEventListener('close', done, { once: true }));
    this.#dialog.ariaLabel = this.#translator.text('camera.title');
    this.append(this.#dialog);
    this.#dialog.showModal();
    void this.#start();
    await closed;
    return this.#picture;
  }

  /** Asks for the camera and shows what it sees, or why there is nothing to see. */
  async #start() {
    this.#stop();
    this.#show(element('p', { role: 'status' }, this.#translator.text('camera.asking')), this.#closeButton());
    try {
      if (!navigator.mediaDevices) {
        throw new DOMException('', 'NotFoundError'); // A page without HTTPS has none.
      }
      const video = { ...this.#wanted, width: { ideal: 1280 }, height: { ideal: 960 } };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video });
      if (!this.isConnected) {
        this.#stop();
        return;
      }
      this.#video.srcObject = this.#stream;
      await this.#video.play();
      await this.#showLive(this.#stream);
    } catch (error) {
      if (this.isConnected) {
        this.#showProblem(error instanceof DOMException ? error.name : '');
      }
    }
  }

  /** @param {MediaStream} stream */
  async #showLive(stream) {
    // A selfie is expected to look like a mirror; what another camera sees is not.
    const { facingMode, deviceId } = stream.getVideoTracks()[0].getSettings();
    this.#video.classList.toggle('mirrored', facingMode !== 'environment');
    this.#video.ariaLabel = this.#translator.text('camera.preview');
    const take = button('button', this.#translator.text('camera.take'), () => void this.#take());
    const buttons = [take, this.#closeButton()];
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');
    if (cameras.length > 1) {
      const next = cameras[(cameras.findIndex((camera) => camera.deviceId === deviceId) + 1) % cameras.length];
      const other = button('button quiet', this.#translator.text('camera.switch'), () => {
        this.#wanted = { deviceId: { exact: next.deviceId } };
        void this.#start();
      });
      buttons.splice(1, 0, other);
    }
    this.#show(this.#video, ...buttons);
    take.focus();
  }

  /** @param {string} error the name of a DOMException */
  #showProblem(error) {
    const kind = error === 'NotAllowedError' ? 'refused' : error === 'NotReadableError' ? 'taken' : 'absent';
    const text = (/** @type {MessageKey} */ key) => this.#translator.text(key);
    const message = element(
      'div',
      { className: 'problem', role: 'alert' },
      element('p', { className: 'what' }, text(`camera.${kind}.title`)),
      element('p', {}, text(`camera.${kind}.advice`)),
    );
    const retry = button('button', text('problem.retry'), () => void this.#start());
    this.#show(message, retry, this.#closeButton());
    retry.focus();
  }

  /**
   * @param {HTMLElement} content
   * @param {HTMLElement[]} buttons
   */
  #show(content, ...buttons) {
    this.#dialog.replaceChildren(content, element('div', { className: 'actions' }, ...buttons));
  }

  #closeButton() {
    return button('button quiet', this.#translator.text('camera.close'), () => this.#dialog.close());
  }

  /** Takes the picture as the camera sees it: others see the visitor so, and portraits show people so. */
  async #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const canvas = element('canvas', { width, height });
    canvas.getContext('2d')?.drawImage(this.#video, 0, 0);
    this.#picture = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
    this.#dialog.close();
  }

  #stop() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.stop();
    }
    this.#stream = null;
  }
}

customElements.define('camera-dialog', CameraDialog);
