// @ts-check
import { API, LOOKALIKES } from './config.js';
import { contentHash } from './digest.js';
import { Problem, problemOfStatus } from './problem.js';

/**
 * A face that the server found.
 *
 * @typedef {object} Face
 * @property {[x: number, y: number, width: number, height: number]} box in pixels of the sent photo
 * @property {number} score the detector's confidence, 0 to 1
 *
 * A person of the gallery who resembles the face.
 *
 * @typedef {object} LookAlike
 * @property {{id: string, name: string}} person
 * @property {number} similarity 0 to 1
 * @property {string} portrait the portrait's address, relative to the API
 *
 * @typedef {object} Answer
 * @property {Face[]} faces all faces in the photo
 * @property {number} face the index of the face that was compared
 * @property {LookAlike[]} lookalikes distinct people, best first
 */

/**
 * Asks the server whom a face in the photo looks like.
 *
 * @param {Blob} photo
 * @param {number | null} face the index of the face; `null` leaves the choice to the server
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 * @throws {Problem} when there is no answer, and whatever `signal` was aborted with
 */
export async function findLookAlikes(photo, face, signal) {
  const address = new URL('api/lookalikes', API);
  address.searchParams.set('k', String(LOOKALIKES));
  if (face !== null) {
    address.searchParams.set('face', String(face));
  }
  // Only where the page comes from, too, may CloudFront be; other servers would have to allow the header.
  const hash = address.origin === location.origin ? await contentHash(photo) : {};
  const headers = { 'content-type': photo.type || 'application/octet-stream', ...hash };
  const response = await reached(fetch(address, { method: 'POST', body: photo, headers, signal }), signal);
  if (!response.ok) {
    throw new Problem(problemOfStatus(response.status));
  }
  return answerOf(await reached(response.text(), signal));
}

/** @param {LookAlike} lookAlike */
export function portraitAddress(lookAlike) {
  return new URL(lookAlike.portrait, API).href;
}

/**
 * `fetch` and the body fail with the same error whether the server is down or the device is
 * offline: to the visitor both are "no network".
 *
 * @template T
 * @param {Promise<T>} transfer
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
async function reached(transfer, signal) {
  try {
    return await transfer;
  } catch {
    signal.throwIfAborted();
    throw new Problem('noNetwork');
  }
}

/**
 * @param {string} body
 * @returns {Answer}
 */
function answerOf(body) {
  try {
    const answer = JSON.parse(body);
    if (Array.isArray(answer.faces) && Array.isArray(answer.lookalikes)) {
      return answer;
    }
  } catch {
    // Not JSON, for example a proxy's own page: as useless as JSON of another shape.
  }
  throw new Problem('server');
}
