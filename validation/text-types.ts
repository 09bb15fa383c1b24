/** What a text may be that is judged by its language alone. */
export const textTypes = ['bash', 'python', 'sql', 'k8s'] as const;
export type TextType = (typeof textTypes)[number];
