/* IEEE 754 double precision in integer registers: what the capacity arithmetic of Swift's
 * Dictionary and Set needs, and no more. Round to nearest even; subnormal results become zero. */
typedef unsigned long u64;
typedef long i64;
typedef unsigned __int128 u128;

#define SIGN (1ul << 63)
#define FRACTION ((1ul << 52) - 1)
#define HIDDEN (1ul << 52)
#define INFINITE (0x7fful << 52)
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"

static i64 exponent(u64 a) { return (i64)(a >> 52) & 0x7ff; }

/* Assembles a result from a 53-bit significand. */
static u64 assemble(u64 sign, i64 biased, u64 significand) {
  if (significand >> 53) {
    significand >>= 1;
    biased++;
  }
  if (biased >= 0x7ff) return sign | INFINITE;
  if (biased <= 0) return sign;
  return sign | (u64)biased << 52 | (significand & FRACTION);
}

u64 __muldf3(u64 a, u64 b) {
  u64 sign = (a ^ b) & SIGN;
  i64 ea = exponent(a), eb = exponent(b);
  if (!ea || !eb) return sign;
  if (ea == 0x7ff || eb == 0x7ff) return sign | INFINITE;
  u128 product = (u128)((a & FRACTION) | HIDDEN) * ((b & FRACTION) | HIDDEN);
  i64 biased = ea + eb - 1023;
  int shift = 52;
  if (product >> 105) {
    shift = 53;
    biased++;
  }
  u64 significand = (u64)(product >> shift);
  u128 rest = product & (((u128)1 << shift) - 1), half = (u128)1 << (shift - 1);
  if (rest > half || (rest == half && (significand & 1))) significand++;
  return assemble(sign, biased, significand);
}

u64 __divdf3(u64 a, u64 b) {
  u64 sign = (a ^ b) & SIGN;
  i64 ea = exponent(a), eb = exponent(b);
  if (!ea) return sign;
  if (!eb) return sign | INFINITE;
  u64 dividend = (a & FRACTION) | HIDDEN, divisor = (b & FRACTION) | HIDDEN;
  i64 biased = ea - eb + 1023;
  if (dividend < divisor) {
    dividend <<= 1;
    biased--;
  }
  u64 quotient = 0;
  for (int bit = 0; bit < 55; bit++) {
    quotient <<= 1;
    if (dividend >= divisor) {
      dividend -= divisor;
      quotient |= 1;
    }
    dividend <<= 1;
  }
  u64 significand = quotient >> 2, rest = quotient & 3;
  if (rest > 2 || (rest == 2 && (dividend || (significand & 1)))) significand++;
  return assemble(sign, biased, significand);
}

static u64 from_magnitude(u64 sign, u64 value) {
  if (!value) return 0;
  int top = 63 - __builtin_clzl(value);
  if (top <= 52) return assemble(sign, 1023 + top, value << (52 - top));
  int shift = top - 52;
  u64 significand = value >> shift, rest = value & ((1ul << shift) - 1), half = 1ul << (shift - 1);
  if (rest > half || (rest == half && (significand & 1))) significand++;
  return assemble(sign, 1023 + top, significand);
}

u64 __floatdidf(i64 value) {
  return from_magnitude(value < 0 ? SIGN : 0, value < 0 ? -(u64)value : (u64)value);
}
u64 __floatundidf(u64 value) { return from_magnitude(0, value); }

static u64 magnitude(u64 a) {
  i64 power = exponent(a) - 1023;
  if (power < 0) return 0;
  u64 significand = (a & FRACTION) | HIDDEN;
  if (power <= 52) return significand >> (52 - power);
  return power < 64 ? significand << (power - 52) : ~0ul;
}
i64 __fixdfdi(u64 a) { return a & SIGN ? -(i64)magnitude(a) : (i64)magnitude(a); }
u64 __fixunsdfdi(u64 a) { return a & SIGN ? 0 : magnitude(a); }

static int compare(u64 a, u64 b, int unordered) {
  u64 left = a & ~SIGN, right = b & ~SIGN;
  if (left > INFINITE || right > INFINITE) return unordered;
  if (!left && !right) return 0;
  i64 x = a & SIGN ? -(i64)left : (i64)left, y = b & SIGN ? -(i64)right : (i64)right;
  return x < y ? -1 : x > y;
}
int __gtdf2(u64 a, u64 b) { return compare(a, b, -1); }
int __gedf2(u64 a, u64 b) { return compare(a, b, -1); }
int __ltdf2(u64 a, u64 b) { return compare(a, b, 1); }
int __ledf2(u64 a, u64 b) { return compare(a, b, 1); }
int __eqdf2(u64 a, u64 b) { return compare(a, b, 1); }
int __nedf2(u64 a, u64 b) { return compare(a, b, 1); }
int __unorddf2(u64 a, u64 b) { return (a & ~SIGN) > INFINITE || (b & ~SIGN) > INFINITE; }

u64 ceil(u64 a) {
  i64 power = exponent(a) - 1023;
  if (power >= 52) return a;
  if (power < 0) return !(a << 1) ? a : a & SIGN ? SIGN : 1023ul << 52;
  u64 mask = FRACTION >> power;
  if (!(a & mask)) return a;
  if (!(a & SIGN)) a += HIDDEN >> power;
  return a & ~mask;
}
