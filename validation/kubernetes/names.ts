const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
const image = new RegExp(`^(?:[a-z0-9.-]+(?::[0-9]{1,5})?/)?${part}(?:/${part})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);
const MAX_NAME = 253;
const MAX_IMAGE = 500;

/** Whether it can name a namespace or a container (RFC 1123 label). */
export const isLabel = (text: string): boolean => label.test(text);
/** Whether it can name an object (RFC 1123 subdomain). */
export const isObjectName = (text: string): boolean => text.length <= MAX_NAME && subdomain.test(text);
export const isImage = (text: string): boolean => text.length <= MAX_IMAGE && image.test(text);
