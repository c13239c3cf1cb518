/* How text looks: ESC [ ... m, "select graphic rendition" (ECMA-48 8.3.117), in VGA's colours. */
#include "drivers/screen.h"

/* The order of red, green and blue is the other way round in ANSI's colours and in VGA's. */
static u8 vga_colour(u32 ansi)
{
    static const u8 colours[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    return colours[ansi & 7] | (ansi & 8);
}

/* The nearest of sixteen colours. */
static u32 nearest(u32 red, u32 green, u32 blue)
{
    u32 most = MAX(MAX(red, green), blue);
    if (most < 0x40)
        return 0;
    u32 half = most / 2;
    u32 hue = (red > half) | (green > half) << 1 | (blue > half) << 2;
    if (hue == 7)
        return most > 0xD0 ? 15 : most > 0x70 ? 7 : 8;
    return hue | (most > 0xC0 ? 8 : 0);
}

static u32 of_256(u32 n)
{
    if (n < 16)
        return n;
    if (n >= 232) {
        u32 grey = 8 + (n - 232) * 10;
        return nearest(grey, grey, grey);
    }
    n -= 16;
    return nearest(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51);
}

/* 38 and 48 take more parameters: 5;N or 2;R;G;B. Moves *i to the last. */
static u32 extended_colour(const struct screen *s, u32 *i, bool *valid)
{
    const u32 *p = s->parameters + *i;
    u32 left = s->nr_parameters - *i - 1;
    *valid = true;
    if (left >= 2 && p[1] == 5 && p[2] < 256) {
        *i += 2;
        return of_256(p[2]);
    }
    if (left >= 4 && p[1] == 2) {
        *i += 4;
        return nearest(MIN(p[2], 255u), MIN(p[3], 255u), MIN(p[4], 255u));
    }
    *valid = false;
    *i = s->nr_parameters;
    return 0;
}

static void set_foreground(struct screen_look *look, u32 ansi)
{
    look->colour = (look->colour & 0xF0) | vga_colour(ansi);
}
static void set_background(struct screen_look *look, u32 ansi)
{
    look->colour = (look->colour & 0x0F) | vga_colour(ansi & 7) << 4;
}

void screen_select_look(struct screen *s)
{
    struct screen_look *look = &s->now.look;
    if (!s->nr_parameters)
        s->parameters[s->nr_parameters++] = 0;
    for (u32 i = 0; i < s->nr_parameters; i++) {
        u32 p = s->parameters[i], colour;
        bool valid;
        switch (p) {
        case 0:
            *look = (struct screen_look){.colour = 7};
            break;
        case 1:
        case 2:
            look->bold = p == 1;
            look->dim = p == 2;
            break;
        case 3:
        case 23:
            look->italic = p == 3;
            break;
        case 4:
        case 21:
        case 24:
            look->underline = p != 24;
            break;
        case 5:
        case 6:
        case 25:
            look->blink = p != 25;
            break;
        case 7:
        case 27:
            look->reverse = p == 7;
            break;
        case 22:
            look->bold = look->dim = false;
            break;
        case 38:
        case 48:
            colour = extended_colour(s, &i, &valid);
            if (valid && p == 38)
                set_foreground(look, colour);
            else if (valid)
                set_background(look, colour);
            break;
        case 39:
            set_foreground(look, 7);
            break;
        case 49:
            set_background(look, 0);
            break;
        default:
            if (p >= 30 && p <= 37)
                set_foreground(look, p - 30);
            else if (p >= 40 && p <= 47)
                set_background(look, p - 40);
            else if (p >= 90 && p <= 97)
                set_foreground(look, p - 90 + 8);
            else if (p >= 100 && p <= 107)
                set_background(look, p - 100);
        }
    }
}
