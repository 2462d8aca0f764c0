import { z } from 'zod';
import { matching } from './structural.ts';

export const GROUP = 'understudy.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** An RFC 1123 label: what Kubernetes names most things with, and what region names must be. */
export const label = () =>
  matching(
    z.string().max(63),
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'use lower-case letters, digits and "-", beginning and ending with a letter or digit',
  );

/** An RFC 1123 subdomain: the name of a Kubernetes object such as a Secret. */
export const objectName = () =>
  matching(
    z.string().max(253),
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'use lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
  );

/** A model's name as its provider writes it: `gpt-4o`, `meta-llama/Llama-3.3-70B-Instruct`. It also stands in headers, so it is plain ASCII. */
export const modelName = () =>
  matching(z.string().max(128), /^[!-~]+$/, 'a model name has plain ASCII characters and no white space');

/** How status, headers, metrics and logs name a target. Endpoint and region hold no `/`, so the first two split it; a model may. */
export function targetId(endpoint: string, region: string, model: string): string {
  return `${endpoint}/${region}/${model}`;
}
