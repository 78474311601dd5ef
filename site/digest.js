// @ts-check

/**
 * The header by which CloudFront can sign a request with a body for AWS Lambda; elsewhere nobody reads it.
 *
 * @param {Blob} body
 * @returns {Promise<Record<string, string>>} no header where the browser offers no SHA-256, on plain HTTP
 */
export async function contentHash(body) {
  if (!globalThis.crypto?.subtle) {
    return {};
  }
  const digest = await crypto.subtle.digest('SHA-256', await body.arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'));
  return { 'x-amz-content-sha256': hex.join('') };
}
