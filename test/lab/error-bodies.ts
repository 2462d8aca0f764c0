/** Stands for the key that the request came with: some providers repeat it in their error. */
export const KEY_PLACEHOLDER = '{{key}}';

/** OpenAI's error body, laid out as OpenAI lays it out. */
export function openAIError(message: string, type: string, code: string | null = null, param: string | null = null): string {
  return `${JSON.stringify({ error: { message, type, param, code } }, undefined, 4)}\n`;
}

/** The page that Cloudflare shows when the provider behind it fails. It names the address of the client. */
export function cloudflarePage(status: number, title: string): string {
  return `<!DOCTYPE html>
<html lang="en-US">
<head><title>api.openai.com | ${status}: ${title}</title></head>
<body>
<h1>${title} <span>Error code ${status}</span></h1>
<p>Cloudflare Ray ID: <strong>96ec92b78fe0e4fe</strong> &bull; Your IP: 198.51.100.7 &bull; Performance &amp; security by Cloudflare</p>
</body>
</html>
`;
}
