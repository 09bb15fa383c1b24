import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // A data: URL would need a hole in the content security policy.
  build: { assetsInlineLimit: 0 },
});
