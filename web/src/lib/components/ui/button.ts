import { tv, type VariantProps } from 'tailwind-variants';

export const buttonVariants = tv({
  base:
    'inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap ' +
    'transition-colors select-none disabled:pointer-events-none disabled:opacity-50 ' +
    'aria-disabled:pointer-events-none aria-disabled:opacity-50 [&_svg]:size-[1.15em] [&_svg]:shrink-0',
  variants: {
    variant: {
      primary:
        'bg-primary text-primary-foreground hover:bg-[color-mix(in_oklch,var(--primary)_88%,var(--foreground))]',
      secondary: 'bg-muted text-foreground inset-ring inset-ring-border hover:bg-accent',
      outline: 'border border-input bg-transparent hover:bg-accent',
      ghost: 'bg-transparent hover:bg-accent',
      glass: 'bg-black/45 text-white backdrop-blur-sm hover:bg-black/65',
      /** On black, where glass would not be seen. */
      pale: 'bg-white/15 text-white hover:bg-white/25',
      destructive:
        'bg-destructive text-destructive-foreground hover:bg-[color-mix(in_oklch,var(--destructive)_88%,var(--foreground))]',
      link: 'text-primary underline-offset-4 hover:underline',
    },
    size: {
      sm: 'h-9 px-3 text-sm max-sm:h-11 pointer-coarse:h-11',
      md: 'h-11 px-4',
      lg: 'h-12 px-6 text-lg',
      icon: 'size-11',
      'icon-sm': 'size-9 max-sm:size-11 pointer-coarse:size-11',
    },
  },
  defaultVariants: { variant: 'secondary', size: 'md' },
});

export type ButtonVariants = VariantProps<typeof buttonVariants>;
