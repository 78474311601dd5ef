// @ts-check

/**
 * Listens for photos in all the ways in which a file can arrive: the file dialog, a drop anywhere
 * on the page, and the clipboard.
 *
 * @param {HTMLInputElement} input
 * @param {(file: File) => void} onPhoto
 */
export function listenForPhotos(input, onPhoto) {
  /** @param {FileList | null | undefined} files */
  const take = (files) => {
    if (files?.length) {
      onPhoto(files[0]);
    }
  };
  const takeChosen = () => {
    take(input.files);
    input.value = ''; // The same file may be chosen again.
  };

  input.addEventListener('change', takeChosen);
  takeChosen(); // One that was chosen while the page was still loading.

  document.addEventListener('paste', (event) => take(event.clipboardData?.files));

  document.addEventListener('dragover', (event) => {
    event.preventDefault(); // Without this the browser would leave the page to show the file.
    document.body.classList.add('dragging');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) {
      document.body.classList.remove('dragging');
    }
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    take(event.dataTransfer?.files);
  });
}
