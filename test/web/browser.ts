import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => [join(folder, 'chromium'), join(folder, 'chromium-browser')])
  .find((path) => existsSync(path));

const describeOrSkip = executablePath === undefined ? describe.skip : describe;
const reason = executablePath === undefined ? ' (skipped: no chromium on the PATH; install the package "chromium")' : '';

/** Describes what needs a browser; where there is none it is skipped, and its name says which package to install. */
export const describeInBrowser = (name: string, body: () => void): void => describeOrSkip(`${name}${reason}`, body);

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: executablePath ?? 'chromium', headless: true, args: flags });

export const phone = { width: 390, height: 844 } as const;

export interface OpenedPage {
  readonly page: Page;
  /** What the page complained of: errors of its own, and what the content security policy refused. */
  readonly complaints: readonly string[];
}

/** A page of its own, with nothing stored. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  return { page, complaints };
}
