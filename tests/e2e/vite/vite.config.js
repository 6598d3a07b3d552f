// Two pages of a shop, built from page.html, on a site below a path of its host.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/shop/spring/',
  plugins: [react()],
  build: { rollupOptions: { input: ['plain.html', 'react.html'] } },
});
