/* The VGA text screen: 80 x 25 cells at 0xB8000 (IBM VGA, CRT controller registers 0Ah-0Fh). */
#include "kernel/lib/types.h"
void vga_init(void);
void vga_write(const char *text, size_t len);
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/page.h"

enum { COLUMNS = 80, ROWS = 25, ATTRIBUTE = 0x07 };
enum { CRTC_INDEX = 0x3D4, CRTC_DATA = 0x3D5, CRTC_CURSOR_HIGH = 0x0E, CRTC_CURSOR_LOW = 0x0F };

static u16 *const cells = (u16 *)(KERNEL_BASE + 0xB8000);
static u32 row, column;
static bool escape; /* inside an escape sequence: swallowed up to its letter */

static u16 cell(char c)
{
    return ATTRIBUTE << 8 | (u8)c;
}

static void scroll(void)
{
    memmove(cells, cells + COLUMNS, (ROWS - 1) * COLUMNS * sizeof(u16));
    for (u32 i = 0; i < COLUMNS; i++)
        cells[(ROWS - 1) * COLUMNS + i] = cell(' ');
    row = ROWS - 1;
}

void vga_init(void)
{
    for (u32 i = 0; i < ROWS * COLUMNS; i++)
        cells[i] = cell(' ');
    row = column = 0;
}

void vga_write(const char *text, size_t len)
{
    for (; len; len--, text++) {
        char c = *text;
        if (escape) {
            escape = !((c | 32) >= 'a' && (c | 32) <= 'z');
            continue;
        }
        if (c == '\033')
            escape = true;
        else if (c == '\n')
            row++, column = 0;
        else if (c == '\r')
            column = 0;
        else if (c == '\b')
            column -= column > 0;
        else if (c == '\t')
            column = (column + 8) & ~7u;
        else if (((u8)c & 0xC0) != 0x80) /* a UTF-8 sequence shows as one cell */
            cells[row * COLUMNS + column++] = cell((u8)c < 0x80 ? c : '?');
        if (column >= COLUMNS)
            row++, column = 0;
        if (row >= ROWS)
            scroll();
    }
    u16 at = row * COLUMNS + column;
    outb(CRTC_INDEX, CRTC_CURSOR_HIGH);
    outb(CRTC_DATA, at >> 8);
    outb(CRTC_INDEX, CRTC_CURSOR_LOW);
    outb(CRTC_DATA, at & 0xFF);
}
