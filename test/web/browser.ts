import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { onPath } from '../../cli/local/on-path.js';
import { describeNeeds } from '../harness/describe-needs.js';

export const chromiumNeeded = { program: 'chromium', debianPackage: 'chromium' } as const;

/** Describes what needs a browser; where there is none it is skipped, and its name says which package to install. */
export const describeInBrowser = describeNeeds(chromiumNeeded);

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: onPath('chromium', process.env) ?? 'chromium', headless: true, args: flags });

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
